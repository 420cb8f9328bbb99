import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { contractWord } from "../../shared/contracts";
import { count, counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Sparkline } from "../../shared/ui/Sparkline";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import type { Source } from "./queries";
import { KINDS, STATES } from "./words";

const MINUTE_MS = 60_000;

/** What the number beside it counts. */
function behind(source: Source): string {
  if (source.connection.type === "stripe") return "sends by itself";
  return source.lag_unit ? `${source.lag_unit} behind` : "behind";
}

/** One source in the list: what it is, whether it works, how far it is behind, what came. */
export function SourceRow({
  source,
  now,
  onToggle,
}: {
  source: Source;
  now: number;
  onToggle?: (source: Source) => void;
}) {
  const minutes = perMinute(source, now);
  const lastHour = minutes.reduce((sum, value) => sum + value, 0);
  return (
    <li className="source-row">
      <div className="source-what">
        <Link to={paths.source} params={{ id: source.id }} className="source-name">
          {source.name}
        </Link>
        <span className="muted">
          {KINDS[source.connection.type].title} → {contractWord(source.contract)}
        </span>
      </div>
      <div>
        <Tag {...STATES[source.state]} />
      </div>
      <div className="source-number">
        <span className="num">{source.lag === null ? "–" : count(source.lag)}</span>
        <span className="muted">{behind(source)}</span>
      </div>
      <div className="source-spark">
        <Sparkline
          values={minutes}
          label={`${counted(lastHour, "record")} in the last hour, by the minute`}
        />
        <span className="muted num">{count(lastHour)} in 1 h</span>
      </div>
      <div className="source-number">
        <span className="num">{count(source.accepted)}</span>
        <span className="muted">valid</span>
      </div>
      <div className="source-number">
        <span className={source.quarantined > 0 ? "num source-bad" : "num"}>{count(source.quarantined)}</span>
        <span className="muted">quarantined</span>
      </div>
      <div className="source-number">
        <span>{source.last_record_at ? <When at={source.last_record_at} /> : "–"}</span>
        <span className="muted">last record</span>
      </div>
      <div className="source-act">
        {onToggle ? (
          <Button size="small" onClick={() => onToggle(source)}>
            {source.state === "paused" ? "Resume" : source.state === "running" ? "Pause" : "Try now"}
          </Button>
        ) : null}
      </div>
      {source.error ? <p className="source-error">{source.error}</p> : null}
    </li>
  );
}

/** Records of each of the last sixty minutes, the latest at the end. */
function perMinute(source: Source, now: number): number[] {
  const last = Math.floor(now / MINUTE_MS);
  const values = new Array<number>(60).fill(0);
  for (const minute of source.minutes) {
    const place = 59 - (last - Math.floor(Date.parse(minute.at) / MINUTE_MS));
    if (place >= 0 && place < 60) values[place] = minute.accepted + minute.quarantined;
  }
  return values;
}
