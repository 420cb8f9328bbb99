import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Form, Input, Radio, Select } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { bodyOf, type Dashboard, type DashboardBody, dashboardsQuery, saveDashboard } from "./queries";

type Fields = Pick<DashboardBody, "name" | "description" | "sharing" | "team">;

interface SettingsDialogProps {
  /** What is changed; none for a new dashboard. */
  dashboard?: Dashboard;
  /** The tiles that a new dashboard begins with: those of the one that is copied. */
  copied?: Dashboard;
  onClose(): void;
  onSaved(dashboard: Dashboard): void;
}

/** What a dashboard is called, and who may see it. */
export function SettingsDialog({ dashboard, copied, onClose, onSaved }: SettingsDialogProps) {
  const client = useQueryClient();
  const { data } = useQuery(dashboardsQuery);
  const [form] = Form.useForm<Fields>();
  const sharing = Form.useWatch("sharing", form);
  const submit = async (fields: Fields) => {
    const given = { ...fields, team: fields.sharing === "team" ? fields.team : null };
    const saved = dashboard
      ? await saveDashboard(bodyOf(dashboard, given), dashboard.id)
      : await saveDashboard({ ...given, tiles: copied?.tiles ?? [], version: 0 });
    await client.invalidateQueries({ queryKey: ["dashboards"] });
    onSaved(saved);
  };
  return (
    <FormDialog<Fields>
      title={dashboard ? "Name and sharing" : copied ? `Copy ${copied.name}` : "New dashboard"}
      okText={dashboard ? "Save" : "Make it"}
      form={form}
      initialValues={{
        name: dashboard?.name ?? (copied ? `${copied.name} (copy)`.slice(0, 120) : ""),
        description: dashboard?.description ?? copied?.description ?? "",
        sharing: dashboard?.sharing ?? "own",
        team: dashboard?.team,
      }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Give it a name." }]}
      >
        <Input maxLength={120} autoComplete="off" />
      </Form.Item>
      <Form.Item name="description" label="What it is for">
        <Input.TextArea rows={2} maxLength={1000} />
      </Form.Item>
      <Form.Item
        name="sharing"
        label="Who may see it"
        extra="Everybody sees it with their own rights: a tile whose data somebody may not see is refused to them."
      >
        <Radio.Group
          options={[
            { value: "own", label: "Only I" },
            ...(data?.teams.length ? [{ value: "team", label: "A team" }] : []),
            { value: "tenant", label: "The firm" },
          ]}
        />
      </Form.Item>
      {sharing === "team" ? (
        <Form.Item name="team" label="Team" rules={[{ required: true, message: "Choose a team." }]}>
          <Select options={(data?.teams ?? []).map((one) => ({ value: one.id, label: one.name }))} />
        </Form.Item>
      ) : null}
    </FormDialog>
  );
}
