import { useNavigate } from "@tanstack/react-router";
import { Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { reasonOf } from "../../shared/ui/states";
import { beginDraft } from "./queries";

/** Begins a contract for a kind of record that Finer does not know yet. */
export function NewContract() {
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [form] = Form.useForm<{ name: string }>();
  const begin = async ({ name }: { name: string }) => {
    setProblem(null);
    try {
      const draft = await beginDraft(name);
      await navigate({ to: paths.contractDraft, params: { draft: draft.id } });
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        New contract
      </Button>
      <Modal
        open={open}
        title="New contract"
        okText="Begin a draft"
        onOk={form.submit}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <Form form={form} layout="vertical" onFinish={(fields) => void begin(fields)}>
          <Form.Item
            name="name"
            label="Kind of record"
            extra="It names the address that records are sent to, and the table in the lake."
            rules={[
              {
                required: true,
                pattern: /^[a-z][a-z0-9_]{1,39}$/,
                message: "2 to 40 lower-case letters, digits and underscores, beginning with a letter.",
              },
            ]}
          >
            <Input placeholder="parcel_scan" maxLength={40} autoComplete="off" />
          </Form.Item>
        </Form>
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </Modal>
    </>
  );
}
