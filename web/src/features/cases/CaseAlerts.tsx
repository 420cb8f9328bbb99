import { Link } from "@tanstack/react-router";
import { Button, Checkbox } from "antd";
import { useState } from "react";
import type { Schema } from "../../api/client";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { ActionTag, StateTag, Tag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import { LabelDialog } from "./LabelDialog";
import type { CaseDocument } from "./queries";
import { SOURCES, VERDICTS } from "./words";

/** The alerts of a case with their reasons, and everything that was found out about each payment. */
export function CaseAlerts({ found }: { found: CaseDocument }) {
  const { may } = useSession();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [judging, setJudging] = useState(false);
  const judges = may(permission.closeCases);
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <section aria-label="Alerts">
      {judges ? (
        <div className="case-bar">
          <Button disabled={chosen.size === 0} onClick={() => setJudging(true)}>
            {chosen.size === 0 ? "Judge chosen alerts" : `Judge ${counted(chosen.size, "alert")}`}
          </Button>
          <span className="muted">
            One by one, or anew when more is known. Closing the case judges all that are open.
          </span>
        </div>
      ) : null}
      <ul className="case-alerts">
        {found.alert_list.map((alert) => (
          <li key={alert.id}>
            <div className="case-alert-head">
              {judges ? (
                <Checkbox
                  checked={chosen.has(alert.id)}
                  onChange={() => toggle(alert.id)}
                  aria-label={`Choose the alert of ${alert.merchant_name ?? alert.event_id}`}
                />
              ) : null}
              <ActionTag action={alert.action} />
              <StateTag state={alert.state} />
              <Amount money={alert.amount} />
              <span className="cut">
                {[alert.merchant_name, alert.merchant_city, alert.merchant_country]
                  .filter(Boolean)
                  .join(", ")}
              </span>
              <span className="push muted nowrap">
                <When at={alert.occurred_at} />
              </span>
              <Link to={paths.alert} params={{ id: alert.id }}>
                Alert
              </Link>
            </div>
            <ul className="reasons">
              {(alert.explained?.length ? alert.explained : alert.reasons).map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
            {alert.would_pass ? <p className="case-pass">{alert.would_pass}</p> : null}
            <Judgements of={found.judgements.filter((one) => one.alert_id === alert.id)} />
          </li>
        ))}
      </ul>
      {judging ? (
        <LabelDialog
          id={found.id}
          alerts={[...chosen]}
          onClose={() => setJudging(false)}
          onDone={() => setChosen(new Set())}
        />
      ) : null}
    </section>
  );
}

function Judgements({ of }: { of: readonly Schema<"JudgementView">[] }) {
  if (of.length === 0) return null;
  const disputed = of.some((one) => one.contradicted);
  return (
    <ul className="case-judgements" aria-label="What was found out">
      {disputed ? (
        <li>
          <Tag word="Contradicting verdicts: the latest known decides" tone="review" />
        </li>
      ) : null}
      {of.map((one) => (
        <li key={one.id} className={one.decides ? "" : "case-overturned"}>
          <strong>{VERDICTS[one.verdict]}</strong>{" "}
          <span className="muted">{SOURCES[one.source]}, known since</span> <When at={one.known_at} />{" "}
          <span className="muted">by {one.by}</span>
          {one.reason ? <q>{one.reason}</q> : null}
        </li>
      ))}
    </ul>
  );
}
