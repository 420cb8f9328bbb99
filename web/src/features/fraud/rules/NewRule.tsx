import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Button, Form, Input } from "antd";
import { useState } from "react";
import { paths } from "../../../shared/paths";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { beginDraft } from "./queries";
import { NEW_RULE } from "./words";

interface Fields {
  rule: string;
  title: string;
}

/** Begins the first draft of a rule. */
export function NewRule() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const begin = async ({ rule, title }: Fields) => {
    await beginDraft(rule, { ...NEW_RULE, title }, "");
    await client.invalidateQueries({ queryKey: ["rules"] });
    await navigate({ to: paths.rule, params: { rule } });
  };
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        New rule
      </Button>
      {open ? (
        <FormDialog title="New rule" okText="Begin a draft" onSubmit={begin} onClose={() => setOpen(false)}>
          <Form.Item
            name="title"
            label="Title"
            rules={[{ required: true, min: 3, whitespace: true, message: "3 characters or more." }]}
          >
            <Input placeholder="Large transfer at night" maxLength={120} autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="rule"
            label="Name"
            extra="It stays the same through all versions, and stands in alerts and in the lake."
            rules={[
              {
                required: true,
                pattern: /^[a-z][a-z0-9_]{1,39}$/,
                message: "2 to 40 lower-case letters, digits and underscores, beginning with a letter.",
              },
            ]}
          >
            <Input placeholder="large_transfer_at_night" maxLength={40} autoComplete="off" />
          </Form.Item>
        </FormDialog>
      ) : null}
    </>
  );
}
