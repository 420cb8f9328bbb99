import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, InputNumber, Radio } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { type TrainingBody, trainModel } from "./queries";

interface Fields extends Omit<TrainingBody, "target"> {
  rate: number;
}

const FIRST: Partial<Fields> = {
  name: "",
  days: 28,
  delay_days: 7,
  test_days: 7,
  labels: "as_known",
  threshold_rule: "capacity",
  capacity: 100,
  rate: 0.1,
};

/** Asks how to learn a model, then lets a job do it. */
export function TrainDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const rule = Form.useWatch("threshold_rule", form);
  const submit = async ({ rate, ...fields }: Fields) => {
    const target = fields.threshold_rule === "capacity" ? (fields.capacity ?? 100) : rate / 100;
    await trainModel({ ...fields, target });
    await client.invalidateQueries({ queryKey: ["models"] });
  };
  return (
    <FormDialog<Fields>
      title="Learn a model"
      okText="Learn it"
      width={620}
      form={form}
      initialValues={FIRST}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted">
        It learns from decided payments, chooses its parameters on earlier weeks and is judged on the last
        ones. The page shows how far it is. From then on it is learnt again every week by the same plan.
      </p>
      <Form.Item name="name" label="Name">
        <Input maxLength={80} placeholder="What people will call it" />
      </Form.Item>
      <div className="models-three">
        <Form.Item name="days" label="Days to learn from" rules={[{ required: true }]}>
          <InputNumber min={1} max={365} />
        </Form.Item>
        <Form.Item name="delay_days" label="Days until labels are known" rules={[{ required: true }]}>
          <InputNumber min={1} max={90} />
        </Form.Item>
        <Form.Item name="test_days" label="Days of each trial" rules={[{ required: true }]}>
          <InputNumber min={1} max={60} />
        </Form.Item>
      </div>
      <Form.Item name="labels" label="Labels">
        <Radio.Group
          className="models-radios"
          options={[
            { value: "as_known", label: "As they were known when a trial began" },
            {
              value: "after_delay",
              label: "As known today, after the delay: for a history that was loaded at once",
            },
          ]}
        />
      </Form.Item>
      <Form.Item name="threshold_rule" label="Threshold">
        <Radio.Group
          className="models-radios"
          options={[
            { value: "capacity", label: "By what the team can look at" },
            { value: "false_positive_rate", label: "By the share of genuine payments that may be stopped" },
          ]}
        />
      </Form.Item>
      <div className="models-three">
        <Form.Item name="capacity" label="Accounts looked at a day" rules={[{ required: true }]}>
          <InputNumber min={1} max={100_000} />
        </Form.Item>
        {rule === "false_positive_rate" ? (
          <Form.Item name="rate" label="False positives at most" rules={[{ required: true }]}>
            <InputNumber min={0.001} max={50} step={0.05} suffix="%" />
          </Form.Item>
        ) : null}
      </div>
      <Form.Item name="note" label="Note">
        <Input.TextArea rows={2} maxLength={1000} />
      </Form.Item>
    </FormDialog>
  );
}
