import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Select } from "antd";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { ReasonField } from "../../shared/ui/ReasonField";
import { reasonOf } from "../../shared/ui/states";
import { WhyVisible } from "../../shared/ui/WhyVisible";
import { type AlertDetail, alertQuery } from "./queries";

type Field = Schema<"RevealBody">["field"];
const FIELDS: Record<Field, string> = { account_id: "Account", customer_id: "Customer", device_id: "Device" };

/** Who works on the alert; taking it; and looking at one masked value for a reason. */
export function AlertWork({ alert }: { alert: AlertDetail }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { me, may } = useSession();
  const [revealing, setRevealing] = useState(false);
  const mine = alert.assignee_id === me.user.id;
  const take = async () => {
    try {
      const params = { path: { alert_id: alert.id } };
      await answer(
        api.POST("/api/v1/alerts/{alert_id}/taking", { params, body: { version: alert.version } }),
      );
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
    await client.invalidateQueries({ queryKey: alertQuery(alert.id).queryKey });
  };
  const whose = mine ? "You work on this alert." : "Somebody else works on this alert.";
  return (
    <section aria-label="Who works on it" className="alert-work">
      <span className="muted">
        {alert.assignee_id || alert.team_id ? whose : "Nobody has taken this alert yet."}
      </span>
      {!mine && may(permission.assignAlerts) ? (
        <Button size="small" onClick={() => void take()}>
          Take it
        </Button>
      ) : null}
      {mine && may(permission.revealAlerts) ? (
        <Button size="small" onClick={() => setRevealing(true)}>
          Show a value in clear
        </Button>
      ) : null}
      <WhyVisible needs={permission.readAlerts} what="alerts" />
      {revealing ? <RevealDialog alert={alert} onClose={() => setRevealing(false)} /> : null}
    </section>
  );
}

interface Asked {
  field: Field;
  reason: string;
}

function RevealDialog({ alert, onClose }: { alert: AlertDetail; onClose(): void }) {
  const [shown, setShown] = useState<Schema<"Revealed"> | null>(null);
  const submit = async ({ field, reason }: Asked) => {
    const params = { path: { alert_id: alert.id } };
    setShown(await answer(api.POST("/api/v1/alerts/{alert_id}/reveal", { params, body: { field, reason } })));
    return false;
  };
  return (
    <FormDialog<Asked>
      title="Show a value in clear"
      okText="Show"
      initialValues={{ field: "account_id" }}
      onEdit={() => setShown(null)}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted">Your name and the reason are kept in the audit trail.</p>
      <Form.Item name="field" label="Value">
        <Select options={Object.entries(FIELDS).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <ReasonField least={5} rows={2} />
      <p role="status">
        {shown ? (
          <>
            {FIELDS[shown.field as Field]}: <strong className="num">{shown.value ?? "none"}</strong>{" "}
            <span className="muted">({shown.left} more this hour)</span>
          </>
        ) : null}
      </p>
    </FormDialog>
  );
}
