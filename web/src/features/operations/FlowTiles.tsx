import { Link } from "@tanstack/react-router";
import { count, counted, duration, measure, milliseconds } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Tile } from "../../shared/ui/Tile";
import type { PartProps } from "./part";
import { type View, viewSearch } from "./view";

/** The flow in five numbers. */
export function FlowTiles({ data, error, onRetry }: PartProps) {
  const common = { loading: !data && !error, error, onRetry };
  const perSecond = data?.contracts.reduce((sum, each) => sum + each.accepted_per_s, 0) ?? 0;
  const received = data?.contracts.reduce((sum, each) => sum + each.received, 0) ?? 0;
  const quarantined = data?.contracts.reduce((sum, each) => sum + each.quarantined, 0) ?? 0;
  const filled = data?.freshness.filter((each) => each.rows > 0) ?? [];
  const slowest =
    filled.length > 0 ? Math.max(...filled.map((each) => each.delay_s ?? each.seconds ?? 0)) : null;
  const newest =
    filled.length > 0 ? Math.min(...filled.map((each) => each.seconds ?? Number.POSITIVE_INFINITY)) : null;
  const latency = data?.latency;
  return (
    <div className="tiles">
      <Tile
        {...common}
        title="Accepted per second"
        meaning="Events that passed their contract, of all contracts together."
        value={<ToRecords tab="receipts" text={measure(perSecond)} />}
        note={`${count(received)} received in 24 h`}
      />
      <Tile
        {...common}
        title="Latency p50"
        meaning="From the receipt of a record until its decision was committed, over the last five minutes."
        value={milliseconds(latency?.p50_ms ?? null)}
        note={
          <>
            p95 <b className="num">{milliseconds(latency?.p95_ms ?? null)}</b>, p99{" "}
            <b className="num">{milliseconds(latency?.p99_ms ?? null)}</b>
          </>
        }
      />
      <Tile
        {...common}
        title="Lag"
        meaning="Accepted events of your firm that no decision has been made on yet."
        value={data ? counted(data.lag.events, "event") : "–"}
        note="accepted, not yet decided"
      />
      <Tile
        {...common}
        title="Lake delay"
        meaning="How long accepted records take until they can be queried in the slowest table of the lake."
        value={duration(slowest)}
        note={newest === null ? "nothing in the lake yet" : `newest row ${duration(newest)} old`}
      />
      <Tile
        {...common}
        title="Quarantined in 24 h"
        meaning="Records that broke their contract. They are kept with the reason."
        value={<ToRecords tab="quarantine" text={count(quarantined)} />}
        note={received > 0 ? `${measure((quarantined / received) * 100)} % of received` : "nothing received"}
      />
    </div>
  );
}

/** A number that leads to its records, for those who may see them. */
function ToRecords({ tab, text }: { tab: View["tab"]; text: string }) {
  const { may } = useSession();
  if (!may(tab === "receipts" ? permission.readReceipts : permission.readQuarantine)) return text;
  return (
    <Link to={paths.pipeline} search={viewSearch({ tab })} hash="records">
      {text}
    </Link>
  );
}
