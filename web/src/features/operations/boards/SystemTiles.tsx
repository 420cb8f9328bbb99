import { Link } from "@tanstack/react-router";
import { count, duration, measure, milliseconds } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Tile } from "../../../shared/ui/Tile";
import type { SystemBoard } from "./queries";
import type { Board } from "./useBoard";
import { shareText } from "./view";

/** How much comes in, how fast, what is refused, what waits: now and over the time shown. */
export function SystemTiles({ board }: { board: Board<SystemBoard> }) {
  const { may } = useSession();
  const { data, error, retry } = board;
  const tile = (name: string) => ({
    loading: !data && !error,
    error: error ?? (data?.failed.includes(name) ? new Error("failed") : null),
    onRetry: retry,
  });
  const flows = data?.contracts ?? [];
  const received = flows.reduce((sum, one) => sum + one.received, 0);
  const refused = flows.reduce((sum, one) => sum + one.refused, 0);
  const stage = new Map(data?.stages?.map((one) => [one.stage, one]));
  const waiting = Math.max(0, ...[...stage.values()].map((one) => one.waiting_s ?? 0));
  const answer = latest(data?.database?.map((one) => one.values.answer_ms));
  const lake = stage.get("lake");
  return (
    <div className="tiles board-stages">
      <Tile
        {...tile("contracts")}
        title="Records per second"
        meaning="Records received in the last whole minute, by second."
        value={data ? measure(flows.reduce((sum, one) => sum + one.per_s, 0)) : "–"}
        note={`${count(received)} in this time`}
      />
      <Tile
        {...tile("stages")}
        title="Decided within"
        meaning="99 of 100 records were decided on within this time of their arrival."
        value={duration(stage.get("decided")?.slowest_s ?? null)}
        note="99 of 100 records"
      />
      <Tile
        {...tile("contracts")}
        title="Refused"
        meaning="Records that did not pass their contract."
        value={
          may(permission.readQuarantine) ? (
            <Link to={paths.quarantine}>{count(refused)}</Link>
          ) : (
            count(refused)
          )
        }
        note={received > 0 ? `${shareText(refused / received)} of what came` : "nothing came"}
      />
      <Tile
        {...tile("stages")}
        title="Waiting"
        meaning="For how long the firm's oldest record waits to be decided or summed up."
        value={waiting > 0 ? duration(waiting) : "0 s"}
        note={waiting > 0 ? "is being caught up" : "everything keeps up"}
      />
      <Tile
        {...tile("database")}
        title="Database"
        meaning="How long the database took to answer a question about the firm, read once a minute."
        value={milliseconds(answer)}
        note="to answer, last reading"
      />
      <Tile
        {...tile("stages")}
        title="Into the lake"
        meaning="The longest that records took into a table of the lake in this time."
        value={lake ? duration(lake.slowest_s) : "–"}
        note={lake ? "the slowest reading" : "not for your role"}
      />
    </div>
  );
}

function latest(values: (number | undefined)[] | undefined): number | null {
  return values?.findLast((value) => value !== undefined) ?? null;
}
