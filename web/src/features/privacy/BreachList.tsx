import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { AskDialog } from "./AskDialog";
import { BreachDialog } from "./BreachDialog";
import { Due } from "./Due";
import { assessBreach, type Breach, breachesQuery, noteNotice } from "./queries";

type Clock = Breach["clocks"][number];
const STATES: Record<Breach["state"], { word: string; tone: string }> = {
  assessing: { word: "Being assessed", tone: "review" },
  notifiable: { word: "To be told", tone: "block" },
  not_notifiable: { word: "Not to be told", tone: "quiet" },
  closed: { word: "Closed", tone: "quiet" },
};
const NEXT: Record<Breach["state"], readonly ("notifiable" | "not_notifiable" | "closed")[]> = {
  assessing: ["notifiable", "not_notifiable"],
  notifiable: ["not_notifiable", "closed"],
  not_notifiable: ["notifiable", "closed"],
  closed: [],
};
const ACTS = {
  notifiable: "Authorities have to be told",
  not_notifiable: "Nobody has to be told",
  closed: "Close",
};

/** Breaches of personal data, each with the clocks of the laws that apply. */
export function BreachList() {
  const query = useQuery(breachesQuery);
  const { may } = useSession();
  const [adding, setAdding] = useState(false);
  if (!query.data) return <NotYet query={query} what="The breaches" rows={3} height={60} />;
  const add = may(permission.breachPrivacy) ? (
    <Button type="primary" onClick={() => setAdding(true)}>
      Write a breach down
    </Button>
  ) : null;
  return (
    <>
      {query.data.length === 0 ? (
        <EmptyState title="No breaches" action={add}>
          When personal data were lost, changed or seen by a stranger, it is written down here, and the time
          until each authority has to be told runs.
        </EmptyState>
      ) : (
        <>
          <div className="filters">{add}</div>
          <ul className="privacy-list" aria-label="Breaches">
            {query.data.map((breach) => (
              <Row key={breach.id} breach={breach} />
            ))}
          </ul>
        </>
      )}
      {adding ? <BreachDialog onClose={() => setAdding(false)} /> : null}
    </>
  );
}

function Row({ breach }: { breach: Breach }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const assess = async (state: "notifiable" | "not_notifiable" | "closed") => {
    try {
      await assessBreach(breach, state);
      await client.invalidateQueries({ queryKey: ["privacy", "breaches"] });
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  const running = breach.state === "assessing" || breach.state === "notifiable";
  return (
    <li>
      <div className="privacy-row">
        <Tag {...STATES[breach.state]} />
        <strong>{breach.title}</strong>
        <span className="muted push">
          known since <When at={breach.aware_at} />, written down by {breach.opened_by}
        </span>
      </div>
      {breach.description ? <p className="privacy-note">{breach.description}</p> : null}
      <ul className="privacy-clocks">
        {breach.clocks.map((clock) => (
          <ClockLine key={clock.law} breach={breach} clock={clock} running={running} />
        ))}
      </ul>
      {may(permission.breachPrivacy) && NEXT[breach.state].length > 0 ? (
        <div className="privacy-actions">
          {NEXT[breach.state].map((state) => (
            <Button key={state} danger={state === "notifiable"} onClick={() => void assess(state)}>
              {ACTS[state]}
            </Button>
          ))}
        </div>
      ) : null}
    </li>
  );
}

function ClockLine({ breach, clock, running }: { breach: Breach; clock: Clock; running: boolean }) {
  const { may } = useSession();
  const client = useQueryClient();
  const [asking, setAsking] = useState<"told" | "later" | null>(null);
  const open = running && !clock.notified_at && may(permission.breachPrivacy);
  return (
    <li className="privacy-row">
      <span className="privacy-law">{clock.says}</span>
      {clock.notified_at ? (
        <span>
          told <When at={clock.notified_at} />
        </span>
      ) : clock.due_at && running ? (
        <Due at={clock.due_at} />
      ) : (
        <span className="muted">{running ? "not running yet" : "stopped"}</span>
      )}
      {clock.reason ? <span className="muted">{clock.reason}</span> : null}
      {open ? (
        <span className="push privacy-buttons">
          <Button size="small" onClick={() => setAsking("told")}>
            Told now
          </Button>
          {clock.law === "th_pdpa" ? (
            <Button size="small" onClick={() => setAsking("later")}>
              Later, with a reason
            </Button>
          ) : null}
        </span>
      ) : null}
      {asking ? (
        <AskDialog
          title={asking === "told" ? "The authority was told" : "Why it is told later"}
          label={asking === "told" ? "How, and under which reference (optional)" : "Reason"}
          action="Note it"
          required={asking === "later"}
          onClose={() => setAsking(null)}
          onSubmit={async (reason) => {
            const told = asking === "told" ? new Date().toISOString() : null;
            await noteNotice(breach, clock.law, { notified_at: told, reason });
            await client.invalidateQueries({ queryKey: ["privacy", "breaches"] });
          }}
        />
      ) : null}
    </li>
  );
}
