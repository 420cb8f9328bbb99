import { changeText, count } from "../../../shared/numbers";
import { TableBox } from "../../../shared/ui/TableBox";
import type { FunnelStep, Interest, Visits } from "./queries";
import { labelText, percentText } from "./view";

const STEPS: Record<string, string> = {
  sessions: "Sessions",
  viewed: "Looked at a product",
  added: "Filled a basket",
  checked_out: "Got to checkout",
  purchased: "Purchased",
  placed: "Order lines placed",
  paid: "Order lines paid",
};

/** How many get to each step, of those at the first one and against the period before. */
export function FunnelTable({ steps }: { steps: readonly FunnelStep[] }) {
  const first = (of: FunnelStep["of"]) => steps.find((step) => step.of === of)?.count ?? 0;
  // Lines that are paid in a time need not have been placed in it: what is no part of the first step has no share of it.
  const ofTheFirst = (step: FunnelStep) =>
    step.of === "sessions" && first(step.of) > 0 ? step.count / first(step.of) : null;
  return (
    <TableBox>
      <table className="table board-shares">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" aria-label="Share" className="wide-only" />
            <th scope="col" className="right">
              How many
            </th>
            <th scope="col" className="right">
              Of the first
            </th>
            <th scope="col" className="right">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.name}>
              <th scope="row">{STEPS[step.name] ?? step.name}</th>
              <Bar value={step.count} largest={first(step.of)} />
              <td className="right num">{count(step.count)}</td>
              <td className="right num nowrap">{percentText(ofTheFirst(step))}</td>
              <td className="right num nowrap">{changeText(step.change) ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** What people look at, and what they do about it. */
export function InterestTable({ products }: { products: readonly Interest[] }) {
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Product</th>
            <th scope="col" className="right">
              Views
            </th>
            <th scope="col" className="right">
              Change
            </th>
            <th scope="col" className="right">
              Into the basket
            </th>
            <th scope="col" className="right">
              Lines ordered
            </th>
          </tr>
        </thead>
        <tbody>
          {products.map((one) => (
            <tr key={one.label}>
              <th scope="row">{one.label}</th>
              <td className="right num">{count(one.views)}</td>
              <td className="right num nowrap">{changeText(one.change) ?? "–"}</td>
              <td className="right num">{count(one.added)}</td>
              <td className="right num">{count(one.placed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

interface VisitTableProps {
  title: string;
  rows: readonly Visits[];
  /** A label as people read it. */
  text?(label: string): string;
  onChoose?(label: string): void;
}

/** Sessions by label, and the share of each that gets to checkout; a label that can be chosen narrows the board. */
export function VisitTable({ title, rows, text = labelText, onChoose }: VisitTableProps) {
  const largest = Math.max(1, ...rows.map((one) => one.sessions));
  return (
    <TableBox className="board-series" label={`Sessions by ${title}`}>
      <table className="table board-shares">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" aria-label="Share" className="wide-only" />
            <th scope="col" className="right">
              Sessions
            </th>
            <th scope="col" className="right">
              To checkout
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.label}>
              <th scope="row">
                {onChoose && one.label !== "" && one.label !== "(other)" ? (
                  <button type="button" className="board-link" onClick={() => onChoose(one.label)}>
                    {text(one.label)}
                  </button>
                ) : (
                  text(one.label)
                )}
              </th>
              <Bar value={one.sessions} largest={largest} />
              <td className="right num">{count(one.sessions)}</td>
              <td className="right num nowrap">
                {percentText(one.sessions > 0 ? one.checked_out / one.sessions : null)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Bar({ value, largest }: { value: number; largest: number }) {
  return (
    <td className="wide-only">
      <meter className="board-bar" min={0} max={Math.max(1, largest)} value={value} aria-hidden="true" />
    </td>
  );
}
