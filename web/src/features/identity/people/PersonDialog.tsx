import { App, Form, Select } from "antd";
import { roleText } from "../../../shared/grants";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { ReasonField } from "../../../shared/ui/ReasonField";
import { changeRole, enable, type Person, type Role } from "./queries";
import { ROLES } from "./roles";

interface PersonDialogProps {
  person: Person;
  act: "role" | "enable";
  onClose(): void;
  onDone(): void;
}

interface Asked {
  role: Role;
  reason: string;
}

/** Proposes another role, or lets a disabled person in again. */
export function PersonDialog({ person, act, onClose, onDone }: PersonDialogProps) {
  const { message } = App.useApp();
  const submit = async ({ role, reason }: Asked) => {
    const made = act === "role" ? await changeRole(person, role, reason) : await enable(person, reason);
    message.success(
      made.proposal ? "Proposed. A second administrator has to approve it under Approvals." : "Done.",
      6,
    );
    onDone();
  };
  const other = (_: unknown, role: Role) =>
    role === person.role ? Promise.reject(new Error("Choose another role.")) : Promise.resolve();
  return (
    <FormDialog<Asked>
      title={act === "role" ? `Change the role of ${person.name}` : `Enable ${person.name}`}
      okText={act === "role" ? "Propose" : "Enable"}
      initialValues={{ role: person.role }}
      onSubmit={submit}
      onClose={onClose}
    >
      {act === "role" ? (
        <Form.Item
          name="role"
          label={`Role, now ${roleText(person.role)}`}
          rules={[{ validator: other }]}
          validateTrigger="onSubmit"
        >
          <Select<Role> options={ROLES.map((value) => ({ value, label: roleText(value) }))} />
        </Form.Item>
      ) : null}
      <ReasonField rows={2} />
    </FormDialog>
  );
}
