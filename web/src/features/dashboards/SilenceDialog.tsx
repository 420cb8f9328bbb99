import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, Select } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { alertsQuery, type MetricAlert, silence } from "./alertQueries";

const TIMES = [
  { value: 1, label: "An hour" },
  { value: 8, label: "8 hours" },
  { value: 24, label: "A day" },
  { value: 168, label: "A week" },
];

/** Be told nothing for a while: of one alert, its group, or all. */
export function SilenceDialog({ alert, onClose }: { alert?: MetricAlert; onClose(): void }) {
  const client = useQueryClient();
  return (
    <FormDialog<{ hours: number; what: "alert" | "group"; reason: string }>
      title={alert ? `Silence ${alert.name}` : "Silence all alerts"}
      okText="Silence"
      initialValues={{ hours: 8, what: "alert", reason: "" }}
      onSubmit={async ({ hours, what, reason }) => {
        await silence({
          until: new Date(Date.now() + hours * 3_600_000).toISOString(),
          reason,
          alert: alert && what !== "group" ? alert.id : null,
          group: alert && what === "group" ? alert.group : "",
        });
        await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
      }}
      onClose={onClose}
    >
      <p>Alerts are looked at all the same. What still holds when the silence ends is told then.</p>
      <Form.Item name="hours" label="For">
        <Select options={TIMES} />
      </Form.Item>
      {alert?.group ? (
        <Form.Item name="what" label="What">
          <Select
            options={[
              { value: "alert", label: "this alert" },
              { value: "group", label: `the group ${alert.group}` },
            ]}
          />
        </Form.Item>
      ) : null}
      <Form.Item
        name="reason"
        label="Why"
        rules={[{ required: true, whitespace: true, message: "Say why." }]}
      >
        <Input maxLength={500} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
