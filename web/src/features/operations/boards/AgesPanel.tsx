import { Link } from "@tanstack/react-router";
import { amountText } from "../../../shared/money";
import { count, counted, duration } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { TableBox } from "../../../shared/ui/TableBox";
import { AsOf, When } from "../../../shared/ui/values";
import { Panel } from "./Panel";
import type { OrderAges } from "./queries";
import type { Part } from "./useBoard";
import { regionText } from "./view";

const WAITS: Record<string, string> = {
  placed: "to be paid",
  paid: "to be shipped",
  shipped: "to be delivered",
};

interface AgesPanelProps extends Part {
  ages: OrderAges | null;
}

/** What waits for how long, and the orders that wait for longer than is usual. */
export function AgesPanel({ ages, ...part }: AgesPanelProps) {
  const waiting = ages?.stages.some((stage) => stage.counts.some((each) => each > 0));
  const sentence = ages
    ? "Every order of the last 60 days is delivered, cancelled or returned."
    : "Orders are looked at every two minutes. What waits shows here after the first look.";
  return (
    <div className="board-parts">
      <Panel
        title="Waiting now"
        about="by how long, of all regions and channels"
        {...part}
        empty={waiting ? null : sentence}
        table={ages ? <Ages ages={ages} /> : null}
      />
      <Panel
        title="Stuck orders"
        about="waiting for longer than is usual"
        {...part}
        empty={
          ages && ages.stuck.length > 0 ? null : ages ? "No order waits for longer than is usual." : sentence
        }
        table={ages ? <Stuck ages={ages} /> : null}
      />
    </div>
  );
}

function Ages({ ages }: { ages: OrderAges }) {
  const edges = ages.edges_s;
  const heads = edges.map((edge) => `to ${duration(edge)}`);
  return (
    <>
      <TableBox>
        <table className="table board-ages">
          <thead>
            <tr>
              <th scope="col">Waiting</th>
              <th scope="col" className="right">
                Stuck
              </th>
              {[...heads, "older"].map((head) => (
                <th key={head} scope="col" className="right">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ages.stages.map((stage) => (
              <tr key={stage.stage}>
                <th scope="row" className="nowrap">
                  {WAITS[stage.stage]}
                </th>
                <td className="right num" title={usual(stage.usual_s, stage.stuck_after_s)}>
                  {count(stage.stuck)}
                </td>
                {[...heads, "older"].map((head, at) => (
                  <td key={head} className="right num">
                    {count(stage.counts[at] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <ul className="board-notes muted">
        {ages.stages.map((stage) => (
          <li key={stage.stage}>
            {WAITS[stage.stage]}: {usual(stage.usual_s, stage.stuck_after_s)}
          </li>
        ))}
        <li>
          <AsOf at={ages.as_of} />
        </li>
      </ul>
    </>
  );
}

function usual(usualS: number | null, afterS: number): string {
  if (usualS === null) return `stuck after ${duration(afterS)}, until there are 50 orders to learn from`;
  return `95 of 100 take up to ${duration(usualS)}, stuck after ${duration(afterS)}`;
}

function Stuck({ ages }: { ages: OrderAges }) {
  const { may } = useSession();
  const all = ages.stages.reduce((sum, stage) => sum + stage.stuck, 0);
  const amounts = ages.stuck.some((one) => one.amount);
  return (
    <TableBox className="board-series board-amounts" label="Stuck orders">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Order</th>
            <th scope="col">Waiting</th>
            <th scope="col">Since</th>
            <th scope="col">Region</th>
            {amounts ? (
              <th scope="col" className="right">
                Amount
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {ages.stuck.map((one) => (
            <tr key={`${one.stage} ${one.order_id}`}>
              <th scope="row">
                <code>{one.order_id}</code>
              </th>
              <td className="nowrap">{WAITS[one.stage]}</td>
              <td className="nowrap">
                <When at={one.since} />
              </td>
              <td>{regionText(one.region)}</td>
              {amounts ? (
                <td className="right num nowrap">
                  {one.amount ? (
                    <>
                      {amountText(one.amount)} <span className="muted">{one.amount.currency}</span>
                    </>
                  ) : (
                    "–"
                  )}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
      {all > ages.stuck.length ? (
        <p className="muted board-none">
          The oldest {counted(ages.stuck.length, "order")} of {count(all)}.{" "}
          {may(permission.runSql) ? <Link to={paths.sql}>All of them by SQL</Link> : null}
        </p>
      ) : null}
    </TableBox>
  );
}
