import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Popconfirm } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { reasonOf } from "../../shared/ui/states";
import { type Act, act, type Incident, QUALITY } from "./queries";

const DONE: Record<Act, string> = {
  acknowledge: "Others see that you look into it.",
  resolve: "It is closed.",
  expect: "It is closed, and learned anew from when it began.",
};

/** What can be done about an open incident, with a word for those who come after. */
export function IncidentActs({ incident }: { incident: Incident }) {
  const { may } = useSession();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState<Act | null>(null);
  if (!may(permission.manageQuality) || incident.closed_at) return null;
  const run = async (what: Act) => {
    setBusy(what);
    try {
      await act(incident, what, note);
      message.success(DONE[what]);
    } catch (error) {
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(null);
      void client.invalidateQueries({ queryKey: [QUALITY] });
    }
  };
  return (
    <div className="quality-acts">
      <Input.TextArea
        aria-label="Note"
        placeholder="What you found out, for others (not names of people)"
        maxLength={1000}
        rows={3}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="quality-buttons">
        <Button type="primary" loading={busy === "acknowledge"} onClick={() => void run("acknowledge")}>
          {incident.state === "acknowledged" ? "Change the note" : "I look into it"}
        </Button>
        <Button loading={busy === "resolve"} onClick={() => void run("resolve")}>
          Close the incident
        </Button>
        <Popconfirm
          title="Is this normal now?"
          description="What came since it began counts as usual from now on."
          okText="It is normal"
          onConfirm={() => void run("expect")}
        >
          <Button loading={busy === "expect"}>This is normal now</Button>
        </Popconfirm>
      </div>
      <p className="hint">
        It settles by itself when the records are as usual again. Closed by hand, it comes back if they still
        are not after five minutes.
      </p>
    </div>
  );
}
