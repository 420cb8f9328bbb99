import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button, Form, Input, Select } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { Tag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import { type Action, act, CASES, type CaseDocument, undo } from "./queries";
import { ACTION_STATES, ACTIONS, type ActionKind } from "./words";

interface Fields {
  kind: ActionKind;
  alert_id: string;
  reason: string;
}

/** What is done about the case, and what became of it. */
export function CaseActions({ found, mine }: { found: CaseDocument; mine: boolean }) {
  const client = useQueryClient();
  const { may } = useSession();
  const [asking, setAsking] = useState(false);
  const [undoing, setUndoing] = useState<Action | null>(null);
  const open = found.closed_at === null;
  const acts = may(permission.actOnCases);
  const refresh = () => void client.invalidateQueries({ queryKey: [CASES] });
  return (
    <section aria-label="Actions">
      <h2>Actions</h2>
      {acts && open ? (
        <Button
          onClick={() => setAsking(true)}
          disabled={!mine}
          title={mine ? undefined : "Take the case first"}
        >
          Block, hold, release, call
        </Button>
      ) : null}
      {acts && open && !mine ? <p className="muted">Take the case to act in it.</p> : null}
      {found.actions.length === 0 && !(acts && open) ? <p className="muted">None.</p> : null}
      <ul className="case-actions">
        {found.actions.map((one) => (
          <li key={one.id}>
            <div className="case-alert-head">
              <strong>{ACTIONS[one.kind].ask}</strong>
              <Tag {...ACTION_STATES[one.state]} />
              {acts && mine && undoable(one) ? (
                <Button size="small" className="push" onClick={() => setUndoing(one)}>
                  Undo
                </Button>
              ) : null}
            </div>
            <p>
              <span className="num">{one.target}</span>{" "}
              <span className="muted">
                by {one.asked_by}, <When at={one.asked_at} />
              </span>
            </p>
            <p className="case-text">{one.reason}</p>
            {one.result ? <p className="muted">{one.result}</p> : null}
            {one.waits_because ? (
              <p className="muted">
                {one.state === "proposed" ? "Waits" : "Undoing it waits"} for a second person, on the page{" "}
                <Link to={paths.approvals}>Approvals</Link>. {one.waits_because}.
              </p>
            ) : null}
          </li>
        ))}
      </ul>
      {asking ? (
        <ActDialog
          found={found}
          onClose={() => setAsking(false)}
          onSubmit={async (fields) => {
            await act(found.id, fields);
            refresh();
          }}
        />
      ) : null}
      {undoing ? (
        <ReasonDialog
          title={`Undo: ${ACTIONS[undoing.kind].ask.toLowerCase()}`}
          text="You prove who you are first. Where much money is let out, be it in small parts within a day, somebody else approves it on the page Approvals."
          okText="Undo"
          onClose={() => setUndoing(null)}
          onReason={async (reason) => {
            await undo(found.id, undoing, reason);
            refresh();
          }}
        />
      ) : null}
    </section>
  );
}

function undoable(one: Action): boolean {
  if (one.state === "asked") return true;
  return one.state === "done" && (one.kind === "block_card" || one.kind === "block_account");
}

interface ActDialogProps {
  found: CaseDocument;
  onClose(): void;
  onSubmit(fields: Fields): Promise<void>;
}

function ActDialog({ found, onClose, onSubmit }: ActDialogProps) {
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch("kind", form) ?? "block_card";
  return (
    <FormDialog<Fields>
      title="Act on the case"
      okText={ACTIONS[kind].ask}
      danger={kind === "block_card" || kind === "block_account"}
      form={form}
      initialValues={{ kind: "block_card", alert_id: found.alert_list[0]?.id }}
      onSubmit={onSubmit}
      onClose={onClose}
    >
      <Form.Item name="kind" label="What" extra={ACTIONS[kind].about}>
        <Select<ActionKind>
          options={Object.entries(ACTIONS).map(([value, { ask }]) => ({
            value: value as ActionKind,
            label: ask,
          }))}
        />
      </Form.Item>
      <Form.Item name="alert_id" label="Of the payment" rules={[{ required: true }]}>
        <Select
          options={found.alert_list.map((alert) => ({
            value: alert.id,
            label: `${alert.amount.text} at ${alert.merchant_name ?? alert.event_id}`,
          }))}
          optionRender={({ value }) => {
            const alert = found.alert_list.find((each) => each.id === value);
            return alert ? (
              <span>
                <Amount money={alert.amount} /> at {alert.merchant_name ?? alert.event_id},{" "}
                <When at={alert.occurred_at} />
                {alert.card_last4 ? `, card **** ${alert.card_last4}` : ""}
              </span>
            ) : null;
          }}
        />
      </Form.Item>
      <Form.Item
        name="reason"
        label="Why"
        rules={[{ required: true, min: 3, whitespace: true, message: "Say why: the case keeps it." }]}
      >
        <Input.TextArea rows={3} maxLength={1000} />
      </Form.Item>
    </FormDialog>
  );
}
