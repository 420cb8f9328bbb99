import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input } from "antd";
import { type KeyboardEvent, useRef, useState } from "react";
import { isProblem } from "../../api/problem";
import { counted } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { shortTime } from "../../shared/time";
import { Dialog } from "../../shared/ui/Dialog";
import { reasonOf } from "../../shared/ui/states";
import { Amount } from "../../shared/ui/values";
import type { Alert } from "./filter";
import { alertQuery, type Verdict } from "./queries";
import { type Outcome, resolveAll } from "./resolve";
import { placeText } from "./words";

interface ResolveDialogProps {
  alerts: readonly Alert[];
  verdict: Verdict;
  onClose(): void;
  /** With every alert whose state is now known, whoever judged it. */
  onDone(latest: readonly Alert[]): void;
}

/** Asks for a note and records the verdict on one alert or many. */
export function ResolveDialog({ alerts, verdict, onClose, onDone }: ResolveDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const [note, setNote] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const keys = useRef(new Map<string, string>()).current;
  const fraud = verdict === "confirmed_fraud";
  const [first] = alerts;
  const verb = fraud ? "Confirm fraud" : "Dismiss";

  const submit = async () => {
    setDone(0);
    setProblem(null);
    const outcome = await resolveAll(alerts, verdict, note.trim(), keys, setDone);
    for (const alert of outcome.latest) {
      client.setQueryData(alertQuery(alert.id).queryKey, (old) => (old ? { ...old, ...alert } : old));
    }
    setDone(null);
    if (outcome.failed.length > 0) {
      setProblem(failureText(outcome));
      if (outcome.latest.length > 0) onDone(outcome.latest);
      return;
    }
    for (const taken of outcome.taken) {
      const { resolution } = taken;
      const by = resolution ? `${resolution.by} at ${shortTime(resolution.at, timeZone)}` : "somebody else";
      const word = taken.state === "open" ? "changed meanwhile" : `already judged by ${by}`;
      message.warning(`The alert at ${placeText(taken)} was ${word}; your verdict was not recorded.`, 8);
    }
    const own = outcome.latest.length - outcome.taken.length;
    if (own > 0) message.success(`${counted(own, "alert")} ${fraud ? "confirmed as fraud" : "dismissed"}.`);
    onDone(outcome.latest);
    onClose();
  };
  const busy = done !== null;
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends a word that is put together by an input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || busy) return;
    event.preventDefault();
    void submit();
  };

  return (
    <Dialog
      width={460}
      title={alerts.length === 1 ? verb : `${verb}: ${counted(alerts.length, "alert")}`}
      onCancel={busy ? undefined : onClose}
      closable={!busy}
      destroyOnHidden
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="primary" danger={fraud} loading={busy} onClick={() => void submit()}>
            {busy && alerts.length > 1 ? `${done} of ${alerts.length}` : verb}
          </Button>
        </>
      }
    >
      {alerts.length === 1 && first ? (
        <p className="resolve-what">
          <Amount money={first.amount} /> <span className="muted">at {placeText(first)}</span>
        </p>
      ) : (
        <p className="muted">Each alert gets the same verdict and note.</p>
      )}
      <label htmlFor="resolve-note">Note (optional)</label>
      <Input.TextArea
        id="resolve-note"
        autoFocus
        rows={3}
        maxLength={2000}
        value={note}
        onChange={(event) => setNote(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder={fraud ? "What showed that it is fraud" : "Why it is not fraud"}
      />
      <p className="hint">Enter records it, Shift+Enter begins a new line, Esc leaves.</p>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Dialog>
  );
}

function failureText({ failed, latest }: Outcome): string {
  const [first] = failed;
  if (isProblem(first, 403))
    return "Your role does not allow judging alerts. Ask an administrator for the right.";
  const rest = latest.length > 0 ? `${counted(latest.length, "alert")} recorded, ${failed.length} not. ` : "";
  return `${rest}${reasonOf(first)}`;
}
