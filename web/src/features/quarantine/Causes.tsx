import { Button } from "antd";
import { contractWord } from "../../shared/contracts";
import { count, counted } from "../../shared/numbers";
import { EmptyState } from "../../shared/ui/states";
import type { Cause, Choice } from "./queries";

interface CausesProps {
  causes: readonly Cause[];
  choice: Choice;
  onChange(choice: Choice): void;
}

/** Contract, field and rule, the most frequent first; a click shows the records. */
export function Causes({ causes, choice, onChange }: CausesProps) {
  const { text, receipt, source } = choice;
  if (causes.length === 0) {
    const narrowed = Boolean(text || receipt || source);
    return (
      <EmptyState
        title={narrowed ? "No record that waits fits" : "Nothing is quarantined"}
        action={narrowed ? <Button onClick={() => onChange({})}>Show all</Button> : undefined}
      >
        A record that breaks its contract waits here, with the field, the rule and the reason, until it is
        mended and released.
      </EmptyState>
    );
  }
  const records = causes.reduce((sum, cause) => sum + cause.records, 0);
  const ready = causes.reduce((sum, cause) => sum + cause.ready, 0);
  return (
    <>
      <h2>
        Causes
        <span className="muted">
          {counted(records, "record")} in {counted(causes.length, "cause")}
          {ready > 0 ? `, ${count(ready)} ready to be released` : ""}
        </span>
      </h2>
      <ul className="causes" aria-label="Causes">
        {causes.map((cause) => {
          const { contract, field, rule } = cause;
          const open = choice.contract === contract && choice.field === field && choice.rule === rule;
          const kept = { text, receipt, source };
          return (
            <li key={`${contract} ${field} ${rule}`}>
              <button
                type="button"
                className="cause"
                aria-pressed={open}
                onClick={() => onChange(open ? kept : { ...kept, contract, field, rule })}
              >
                <span className="num cause-count">{count(cause.records)}</span>
                <span className="cause-name">
                  {contractWord(contract)} · <code>{field || "record"}</code> · {rule}
                </span>
                <span className="cause-ready">{readiness(cause)}</span>
                <span className="cause-example muted">{cause.example}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function readiness({ edited, ready }: Cause): string {
  if (ready > 0) return `${count(ready)} ready`;
  return edited > 0 ? `${count(edited)} changed` : "";
}
