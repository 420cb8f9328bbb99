import { useNavigate } from "@tanstack/react-router";
import { Button, Form, Input } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { FormDialog } from "../../shared/ui/FormDialog";
import { beginDraft } from "./queries";

/** Begins a contract for a kind of record that Finer does not know yet. */
export function NewContract() {
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const begin = async ({ name }: { name: string }) => {
    const draft = await beginDraft(name);
    await navigate({ to: paths.contractDraft, params: { draft: draft.id } });
  };
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        New contract
      </Button>
      {open ? (
        <FormDialog
          title="New contract"
          okText="Begin a draft"
          onSubmit={begin}
          onClose={() => setOpen(false)}
        >
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
        </FormDialog>
      ) : null}
    </>
  );
}
