import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { When } from "../../../shared/ui/values";
import {
  type Assessment,
  assessmentQuery,
  type RuleDetail,
  type RuleText,
  type RuleVersion,
} from "./queries";
import { brakeText, RuleState } from "./words";

/** Every version of a rule, and what each changed of the one before it. */
export function RuleVersions({ detail }: { detail: RuleDetail }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <section aria-label="Versions" className="rules-box rules-versions">
      <h2>Versions</h2>
      <ul>
        {detail.versions.map((one, at) => {
          const before = detail.versions[at + 1];
          return (
            <li key={one.id}>
              <p className="rules-head">
                <strong className="num">{one.version}</strong>
                <RuleState state={one.state} />
                <span className="muted">
                  {one.author ? `by ${one.author}` : ""}
                  {one.approved_by ? `, approved by ${one.approved_by}` : ""}
                  {one.live_at && one.author !== "Finer" ? (
                    <>
                      , live since <When at={one.live_at} />
                    </>
                  ) : null}
                </span>
                {before ? (
                  <Button
                    size="small"
                    type="link"
                    aria-expanded={open === one.id}
                    onClick={() => setOpen(open === one.id ? null : one.id)}
                  >
                    What changed since {before.version}
                  </Button>
                ) : null}
              </p>
              {one.note ? <p className="muted">{one.note}</p> : null}
              {one.demotion ? <p className="problem">The brake stopped it. {one.demotion}</p> : null}
              {before && open === one.id ? <Changed old={before} next={one} /> : null}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const SHOWN: readonly [string, (text: RuleText) => string][] = [
  ["Title", (text) => text.title],
  ["Condition", (text) => text.condition],
  ["Asks for", (text) => text.action],
  ["Severity", (text) => text.severity ?? ""],
  ["Brake", (text) => brakeText(text.brake)],
  ["Owner", (text) => text.owner ?? ""],
];

type Row = readonly [name: string, before: string, after: string];

/** How two reasons read with example values; as they are written where they read the same, or cannot be read any more. */
function reasonRow(old: RuleText, next: RuleText, was?: Assessment, is?: Assessment): Row {
  if (was?.example && is?.example && was.example !== is.example)
    return ["Reason, with example values", was.example, is.example];
  return ["Reason, as it is written", old.reason, next.reason];
}

function Changed({ old, next }: { old: RuleVersion; next: RuleVersion }) {
  const said = old.text.reason !== next.text.reason;
  const was = useQuery({ ...assessmentQuery(old.text), enabled: said });
  const is = useQuery({ ...assessmentQuery(next.text), enabled: said });
  const rows: Row[] = SHOWN.map(([name, of]) => [name, of(old.text), of(next.text)] as const).filter(
    ([, a, b]) => a !== b,
  );
  if (said && !was.isLoading && !is.isLoading) rows.push(reasonRow(old.text, next.text, was.data, is.data));
  if (rows.length === 0 && !said) return <p className="muted">It says the same.</p>;
  return (
    <dl className="rules-changes">
      {rows.map(([name, a, b]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd
            className={name === "Condition" || name === "Reason, as it is written" ? "rules-code" : undefined}
          >
            <del>{a || "none"}</del>
            <ins>{b || "none"}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
