import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Input, type InputRef } from "antd";
import { useRef, useState } from "react";
import { reasonOf } from "../../../shared/ui/states";
import { Tag } from "../../../shared/ui/tags";
import { When } from "../../../shared/ui/values";
import { type Act, decide, type Proposal } from "./queries";

const SAID: Record<Act, string> = {
  approval: "Approved and done.",
  rejection: "Rejected; nothing was changed.",
  withdrawal: "Withdrawn.",
};

const STATES: Record<string, { word: string; tone: string }> = {
  waiting: { word: "Waiting", tone: "review" },
  executed: { word: "Approved", tone: "approve" },
  rejected: { word: "Rejected", tone: "block" },
  withdrawn: { word: "Withdrawn", tone: "quiet" },
  expired: { word: "Nobody decided in time", tone: "quiet" },
};

/** Who may approve a proposal: by name, or what to do when there is nobody. */
function Approvers({ proposal }: { proposal: Proposal }) {
  const names = proposal.approvers.map((one) => one.name);
  return names.length > 0 ? (
    <p className="muted">
      Can be approved by {new Intl.ListFormat("en", { type: "disjunction" }).format(names)}.
    </p>
  ) : (
    <p className="proposal-nobody" role="note">
      Nobody else of the firm may approve this. Invite a second person who may, or ask the operator of this
      installation.
    </p>
  );
}

/** One proposal: what would change, who wants it and why, and the buttons of whoever may decide. */
export function ProposalCard({ proposal }: { proposal: Proposal }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState<Act | null>(null);
  const [asked, setAsked] = useState(false);
  const field = useRef<InputRef>(null);
  const unsaid = reason.trim().length < 3;
  const act = async (which: Act) => {
    if (unsaid && which !== "withdrawal") {
      setAsked(true);
      field.current?.focus();
      return;
    }
    setBusy(which);
    try {
      await decide(proposal, which, reason);
      message.success(SAID[which]);
    } catch (error) {
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(null);
      await Promise.all([
        client.invalidateQueries({ queryKey: ["proposals"] }),
        client.invalidateQueries({ queryKey: ["people"] }),
        client.invalidateQueries({ queryKey: ["machines"] }),
        client.invalidateQueries({ queryKey: ["sso-settings"] }),
        client.invalidateQueries({ queryKey: ["sign-in-rules"] }),
      ]);
    }
  };
  const lacks = asked && unsaid;
  return (
    <Card
      size="small"
      title={proposal.title}
      extra={<Tag {...(STATES[proposal.state] ?? { word: proposal.state, tone: "plain" })} />}
    >
      <p>
        <strong>{proposal.by.name}</strong>, <When at={proposal.made_at} />: <q>{proposal.reason}</q>
      </p>
      <ul className="proposal-changes">
        {proposal.changes.map((change) => (
          <li key={`${change.what} ${change.before} ${change.after}`}>
            {change.what}:{" "}
            {change.before ? (
              <>
                <del>{change.before}</del> →{" "}
              </>
            ) : null}
            <ins>{change.after}</ins>
          </li>
        ))}
      </ul>
      <details className="muted proposal-hash">
        <summary>What an approval is bound to</summary>
        <code>{JSON.stringify(proposal.payload)}</code> SHA-256 {proposal.sha256.slice(0, 16)}…
      </details>
      {proposal.approvals.map((said) => (
        <p key={said.by.id}>
          {said.approved ? "Approved" : "Rejected"} by {said.by.name}, <When at={said.at} />:{" "}
          <q>{said.reason}</q>
        </p>
      ))}
      {proposal.state === "waiting" ? <Approvers proposal={proposal} /> : null}
      {proposal.decidable ? (
        <>
          <label htmlFor={`why-${proposal.id}`}>Why</label>
          <Input
            id={`why-${proposal.id}`}
            ref={field}
            maxLength={1000}
            value={reason}
            status={lacks ? "error" : undefined}
            aria-invalid={lacks}
            aria-describedby={lacks ? `lacks-${proposal.id}` : undefined}
            onChange={(event) => setReason(event.target.value)}
          />
          {lacks ? (
            <p id={`lacks-${proposal.id}`} role="alert" className="problem">
              Say why, in three letters or more: it stays with the decision.
            </p>
          ) : null}
          <div className="proposal-foot">
            <Button
              type="primary"
              disabled={busy !== null}
              loading={busy === "approval"}
              onClick={() => void act("approval")}
            >
              Approve
            </Button>
            <Button
              danger
              disabled={busy !== null}
              loading={busy === "rejection"}
              onClick={() => void act("rejection")}
            >
              Reject
            </Button>
          </div>
        </>
      ) : null}
      {proposal.mine && proposal.state === "waiting" ? (
        <div className="proposal-foot">
          <Button size="small" loading={busy === "withdrawal"} onClick={() => void act("withdrawal")}>
            Withdraw
          </Button>
        </div>
      ) : null}
    </Card>
  );
}
