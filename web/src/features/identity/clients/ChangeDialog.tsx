import { App, Form, Input } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { change, type Machine } from "./machines";
import { KINDS, NAMED, readNetworks } from "./words";

interface Asked {
  name: string;
  networks: string;
  reason: string;
}

/** Renames a machine, or says from where it may be used. */
export function ChangeDialog(props: { machine: Machine; onClose(): void; onDone(): void }) {
  const { machine, onClose, onDone } = props;
  const { message } = App.useApp();
  const submit = async ({ name, networks, reason }: Asked) => {
    const wanted = readNetworks(networks);
    const now = await change(machine, { name: name.trim(), networks: wanted, reason });
    if (now.networks.length === new Set(wanted).size) message.success("Changed. It holds within a second.");
    else message.info("It may be used from more places as soon as somebody else approves it.", 8);
    onDone();
  };
  return (
    <FormDialog<Asked>
      title={`Change ${KINDS[machine.kind]}`}
      okText="Save"
      width={460}
      initialValues={{ name: machine.name, networks: machine.networks.join(", "), reason: "" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="name" label="Name" rules={NAMED}>
        <Input maxLength={120} />
      </Form.Item>
      <Form.Item name="networks" label="From these networks only">
        <Input placeholder="everywhere" />
      </Form.Item>
      <Form.Item name="reason" label="Why (when it is to be used from more places)">
        <Input maxLength={1000} placeholder="For whoever approves it" />
      </Form.Item>
      <p className="hint">Permissions stay as they were made. For others, make a new client.</p>
    </FormDialog>
  );
}
