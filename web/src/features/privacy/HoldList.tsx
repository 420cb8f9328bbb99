import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Select } from "antd";
import { useState } from "react";
import type { Schema } from "../../api/client";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { type Hold, holdsQuery, placeHold, releaseHold } from "./queries";
import { HOLDS } from "./words";

/** Reasons to keep a person's records: while one stands, nothing of the person is erased. */
export function HoldList() {
  const query = useQuery(holdsQuery);
  const { may } = useSession();
  const [adding, setAdding] = useState(false);
  if (!query.data) return <NotYet query={query} what="The holds" rows={4} height={44} />;
  const add = may(permission.writePrivacy) ? (
    <Button type="primary" onClick={() => setAdding(true)}>
      Place a hold
    </Button>
  ) : null;
  return (
    <>
      {query.data.length === 0 ? (
        <EmptyState title="No holds" action={add}>
          A dispute, or the duty to keep records of money laundering, goes before erasing and before every
          term of retention.
        </EmptyState>
      ) : (
        <>
          <div className="filters">{add}</div>
          <ul className="privacy-list" aria-label="Holds">
            {query.data.map((hold) => (
              <Row key={hold.id} hold={hold} />
            ))}
          </ul>
        </>
      )}
      {adding ? <HoldDialog onClose={() => setAdding(false)} /> : null}
    </>
  );
}

function Row({ hold }: { hold: Hold }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const release = async () => {
    try {
      await releaseHold(hold.id);
      await client.invalidateQueries({ queryKey: ["privacy"] });
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  return (
    <li>
      <div className="privacy-row">
        <Tag word={HOLDS[hold.kind] ?? hold.kind} tone={hold.released_at ? "quiet" : "block"} />
        <strong>{hold.subject}</strong>
        <span className="muted push">
          {hold.released_at ? (
            <>
              released by {hold.released_by}, <When at={hold.released_at} />
            </>
          ) : (
            <>
              placed by {hold.placed_by}, <When at={hold.placed_at} />
            </>
          )}
        </span>
        {!hold.released_at && may(permission.approvePrivacy) ? (
          <Button onClick={() => void release()}>Release</Button>
        ) : null}
      </div>
      <p className="privacy-note">{hold.reason}</p>
    </li>
  );
}

function HoldDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient();
  const submit = async (body: Schema<"HoldBody">) => {
    await placeHold({ ...body, subject_kind: "customer" });
    await client.invalidateQueries({ queryKey: ["privacy"] });
  };
  return (
    <FormDialog
      title="Place a hold"
      okText="Place"
      initialValues={{ kind: "legal" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="kind" label="Why">
        <Select
          options={[
            { value: "legal", label: "A dispute or an investigation" },
            { value: "aml", label: "The duty to keep records of money laundering" },
          ]}
        />
      </Form.Item>
      <Form.Item
        name="subject"
        label="Customer id"
        rules={[{ required: true, whitespace: true, message: "Say whose records." }]}
      >
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="reason"
        label="Reason"
        rules={[
          {
            required: true,
            whitespace: true,
            message: "Whoever looks at this later has only these words.",
          },
        ]}
      >
        <Input.TextArea rows={3} maxLength={4000} />
      </Form.Item>
    </FormDialog>
  );
}
