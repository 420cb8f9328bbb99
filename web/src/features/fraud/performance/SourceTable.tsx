import { Link } from "@tanstack/react-router";
import { usd } from "../../../shared/money";
import { count } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { TableBox } from "../../../shared/ui/TableBox";
import { Worth } from "../../../shared/ui/Worth";
import { NumberLink } from "./NumberLink";
import type { Outcome, OutcomeKind, Performance, View } from "./queries";
import { bounds, type Interval, percent } from "./table";

interface SourceTableProps {
  data: Performance;
  view: View;
  open?: (view: View) => void;
}

/** Rule by rule and model by model: the same numbers, each with its rows behind it. */
export function SourceTable({ data, view, open }: SourceTableProps) {
  return (
    <section className="part" aria-label="By rule and model">
      <h2>
        By rule and model <span className="muted">bounds hold in 19 of 20 cases</span>
      </h2>
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What decides</th>
              <th scope="col" className="right">
                Hits
              </th>
              <th scope="col" className="right">
                Blocked
              </th>
              <th scope="col" className="right">
                Fraud
              </th>
              <th scope="col" className="right">
                Good
              </th>
              <th scope="col" className="right">
                Precision
              </th>
              <th scope="col" className="right">
                Recall
              </th>
              <th
                scope="col"
                className="right"
                title="Hits that were judged good, among payments not known as fraud"
              >
                False positives
              </th>
              <th
                scope="col"
                className="right"
                title="Each blocked fraud is credited to the first rule that blocked it"
              >
                Protected
              </th>
            </tr>
          </thead>
          <tbody>
            {data.sources.map((one) => (
              <Row key={`${one.source}:${one.name}`} one={one} view={view} open={open} />
            ))}
          </tbody>
        </table>
      </TableBox>
    </section>
  );
}

function Row({ one, view, open }: { one: Outcome; view: View; open: SourceTableProps["open"] }) {
  const rows = (outcome: OutcomeKind, value: number) =>
    value === 0 ? (
      "0"
    ) : (
      <NumberLink view={{ ...view, source: one.source, name: one.name, outcome }} open={open}>
        {count(value)}
      </NumberLink>
    );
  return (
    <tr className={one.source === "all" ? "performance-whole" : undefined}>
      <th scope="row">
        <Name one={one} />
      </th>
      <td className="right num">{rows("hits", one.hits)}</td>
      <td className="right num">{rows("blocks", one.blocks)}</td>
      <td className="right num">{rows("fraud", one.fraud)}</td>
      <td className="right num">{rows("legitimate", one.legitimate)}</td>
      <Share found={one.precision} />
      <Share found={one.recall} />
      <Share found={one.false_positives} />
      <td className="right num">
        <Worth usd={usd(one.protected_usd_minor)} />
      </td>
    </tr>
  );
}

function Name({ one }: { one: Outcome }) {
  const plain = one.source !== "rule" || one.name === "model_score" || one.name.startsWith("list:");
  return (
    <>
      {plain ? (
        one.title
      ) : (
        <Link to={paths.rule} params={{ rule: one.name }}>
          {one.title}
        </Link>
      )}
      {one.source === "rule" ? <span className="muted performance-under">{one.name}</span> : null}
    </>
  );
}

function Share({ found }: { found: Interval }) {
  return (
    <td className="right num">
      {found.value == null ? "–" : percent(found.value)}
      {found.value == null ? null : <span className="muted performance-under">{bounds(found)}</span>}
    </td>
  );
}
