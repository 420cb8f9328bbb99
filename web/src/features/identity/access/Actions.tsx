import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useState } from "react";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { ReasonDialog } from "../../../shared/ui/ReasonDialog";
import { reasonOf } from "../../../shared/ui/states";
import {
  type AccessAlert,
  type AccessAlertDetail,
  type AccessState,
  alertQuery,
  type Containment,
  changeState,
  contain,
} from "./queries";

const ACTS: Record<Containment, { button: string; ask: string; done: string }> = {
  end_sessions: {
    button: "End all sessions",
    ask: "Every browser of this person is signed out within a second. The person can sign in again.",
    done: "All sessions of this person are over.",
  },
  disable_user: {
    button: "Disable the person",
    ask: "Every browser of this person is signed out, and the person cannot sign in any more.",
    done: "The person is disabled and signed out.",
  },
  revoke_key: {
    button: "Revoke the key",
    ask: "The key stops working within a second, for good. Whatever uses it needs a new one.",
    done: "The key is revoked.",
  },
};

/** What an administrator can do about an alert: take it on, close it, end the access. */
export function Actions({ alert }: { alert: AccessAlert }) {
  const [closing, setClosing] = useState(false);
  const [act, setAct] = useState<Containment | null>(null);
  const client = useQueryClient();
  const { message } = App.useApp();
  const changed = (next: AccessAlert) => {
    client.setQueryData(alertQuery(alert.id).queryKey, (old?: AccessAlertDetail) =>
      old ? { ...old, alert: next } : old,
    );
    void client.invalidateQueries({ queryKey: ["access-alerts"] });
  };
  const moving = useMutation({
    mutationFn: (state: AccessState) => changeState(alert, state, ""),
    onSuccess: changed,
    onError: (error) => {
      message.error(reasonOf(error));
      void client.invalidateQueries({ queryKey: alertQuery(alert.id).queryKey });
    },
  });
  const user = alert.subject.startsWith("usr_");
  const acts: Containment[] = user
    ? ["end_sessions", "disable_user"]
    : alert.subject.startsWith("key_")
      ? ["revoke_key"]
      : [];
  return (
    <div className="access-actions">
      {alert.state === "open" ? (
        <Button type="primary" loading={moving.isPending} onClick={() => moving.mutate("acknowledged")}>
          Take it on
        </Button>
      ) : null}
      {alert.state === "closed" ? (
        <Button loading={moving.isPending} onClick={() => moving.mutate("open")}>
          Open again
        </Button>
      ) : (
        <Button onClick={() => setClosing(true)}>Close</Button>
      )}
      {acts.map((one) => (
        <Button key={one} danger onClick={() => setAct(one)}>
          {ACTS[one].button}
        </Button>
      ))}
      {closing ? (
        <ReasonDialog
          title="Close the alert"
          text="It can be opened again."
          label="Why it can be closed"
          hint="For example: Ana was travelling, she confirmed it by phone"
          okText="Close it"
          onReason={async (note) => changed(await changeState(alert, "closed", note))}
          onClose={() => setClosing(false)}
        />
      ) : null}
      {act ? <ContainDialog alert={alert} act={act} onClose={() => setAct(null)} /> : null}
    </div>
  );
}

interface ContainProps {
  alert: AccessAlert;
  act: Containment;
  onClose(): void;
}

function ContainDialog({ alert, act, onClose }: ContainProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const submit = async () => {
    await contain(alert, act);
    message.success(ACTS[act].done);
    void client.invalidateQueries({ queryKey: alertQuery(alert.id).queryKey });
  };
  return (
    <FormDialog
      width={460}
      title={ACTS[act].button}
      okText={ACTS[act].button}
      danger
      onSubmit={submit}
      onClose={onClose}
    >
      <p>{ACTS[act].ask}</p>
    </FormDialog>
  );
}
