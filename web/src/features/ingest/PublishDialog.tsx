import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Form, Input, Modal } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { reasonOf } from "../../shared/ui/states";
import { type ContractDraft, proposeDraft } from "./queries";

/** Asks for a draft to come into force; somebody else approves it. */
export function PublishDialog({ draft, onClose }: { draft: ContractDraft; onClose(): void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [form] = Form.useForm<{ reason: string }>();
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async ({ reason }: { reason: string }) => {
    setProblem(null);
    try {
      const { published } = await proposeDraft(draft, reason);
      await client.invalidateQueries({ queryKey: ["contracts"] });
      if (published) await navigate({ to: paths.contract, params: { contract: draft.contract } });
      else await navigate({ to: paths.approvals });
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Modal
      open
      title={`Publish ${draft.contract} ${draft.version}`}
      okText="Propose it"
      onOk={form.submit}
      onCancel={onClose}
      destroyOnHidden
    >
      <p>Somebody else approves it on the page Approvals. From that moment records are held to it.</p>
      <Form form={form} layout="vertical" onFinish={(fields) => void submit(fields)}>
        <Form.Item
          name="reason"
          label="Why"
          rules={[
            { required: true, min: 3, whitespace: true, message: "Say why: the audit trail keeps it." },
          ]}
        >
          <Input.TextArea rows={3} maxLength={1000} />
        </Form.Item>
      </Form>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
