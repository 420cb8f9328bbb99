import { Button } from "antd";
import { count } from "../../shared/numbers";
import { EmptyState } from "../../shared/ui/states";
import type { Cause, Choice } from "./queries";

interface CausesProps {
  causes: readonly Cause[];
  choice: Choice;
  onChange(choice: Choice): void;
}

/** Contract, field and rule, the most frequent first; a click shows the records. */
export function Causes({ causes, choice, onChange }: CausesProps) {
  if (causes.length === 0) {
    return (
      <EmptyState
        title={choice.text ? "No reason holds this text" : "Nothing is quarantined"}
        action={<Button onClick={() => onChange({})}>Look again</Button>}
      >
        A record that breaks its contract waits here, with the field, the rule and the reason, until it is
        mended and released.
      </EmptyState>
    );
  }
  return (
    <ul className="causes" aria-label="Causes">
      {causes.map((cause) => {
        const { contract, field, rule } = cause;
        const open = choice.contract === contract && choice.field === field && choice.rule === rule;
        return (
          <li key={`${contract} ${field} ${rule}`}>
            <button
              type="button"
              className="cause"
              aria-pressed={open}
              onClick={() =>
                onChange(open ? { text: choice.text } : { text: choice.text, contract, field, rule })
              }
            >
              <span className="num cause-count">{count(cause.records)}</span>
              <span className="cause-name">
                {contract} · <code>{field || "record"}</code> · {rule}
              </span>
              <span className="cause-ready">{cause.ready > 0 ? `${count(cause.ready)} ready` : ""}</span>
              <span className="cause-example muted">{cause.example}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
