import { Link } from "@tanstack/react-router";
import { count, counted, duration, measure, milliseconds } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Tile } from "../../shared/ui/Tile";
import type { PartProps } from "./part";

/** The flow in five numbers. */
export function FlowTiles({ data, error, onRetry }: PartProps) {
  const common = { loading: !data && !error, error, onRetry };
  const perSecond = data?.contracts.reduce((sum, each) => sum + each.accepted_per_s, 0) ?? 0;
  const received = data?.contracts.reduce((sum, each) => sum + each.received, 0) ?? 0;
  const quarantined = data?.contracts.reduce((sum, each) => sum + each.quarantined, 0) ?? 0;
  const ages = data?.freshness.flatMap((each) => each.seconds ?? []) ?? [];
  const stalest = ages.length > 0 ? Math.max(...ages) : null;
  const latency = data?.latency;
  return (
    <div className="tiles">
      <Tile
        {...common}
        title="Accepted per second"
        meaning="Events that passed their contract, of all contracts together."
        value={
          <Link to={paths.pipeline} search={{ tab: "receipts" }} hash="records">
            {measure(perSecond)}
          </Link>
        }
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
        meaning="Accepted events that no decision has been made on yet."
        value={data ? `${count(data.lag.events)} events` : "–"}
        note={data ? `${duration(data.lag.seconds)} behind` : null}
      />
      <Tile
        {...common}
        title="Lake freshness"
        meaning="The age of the newest row in the lake's slowest table."
        value={duration(stalest)}
        note={stalest === null ? "nothing in the lake yet" : `slowest of ${counted(ages.length, "table")}`}
      />
      <Tile
        {...common}
        title="Quarantined in 24 h"
        meaning="Records that broke their contract. They are kept with the reason."
        value={
          <Link to={paths.pipeline} hash="records">
            {count(quarantined)}
          </Link>
        }
        note={received > 0 ? `${measure((quarantined / received) * 100)} % of received` : "nothing received"}
      />
    </div>
  );
}
