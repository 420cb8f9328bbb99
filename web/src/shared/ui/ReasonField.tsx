import { Form, Input } from "antd";

interface ReasonFieldProps {
  label?: string;
  hint?: string;
  /** How many letters a reason has at least. */
  least?: number;
  /** Says that there has to be one, and who reads it. */
  needed?: string;
  rows?: number;
}

/** The field `reason` of a form: why something is done. */
export function ReasonField({
  label = "Why",
  hint,
  least = 3,
  needed = "Say why: the audit trail keeps it.",
  rows = 3,
}: ReasonFieldProps) {
  return (
    <Form.Item
      name="reason"
      label={label}
      validateFirst
      rules={[
        { required: true, whitespace: true, message: needed },
        { min: least, message: `Say it in ${least} letters or more.` },
      ]}
    >
      <Input.TextArea rows={rows} maxLength={1000} placeholder={hint} />
    </Form.Item>
  );
}
