import { contractWord } from "../../shared/contracts";
import { count, measure } from "../../shared/numbers";
import { Sparkline } from "../../shared/ui/Sparkline";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import type { Contract } from "./queries";
import { scoreTone, shareText, stateWord } from "./words";

const HOUR_MS = 3_600_000;

/** One contract in the list: its scores, what came by the hour, and what is watched. */
export function ContractRow({ one, onOpen }: { one: Contract; onOpen(): void }) {
  const [hour, day, month] = one.scores;
  const refused = one.received - one.passed;
  return (
    <li className="quality-row">
      <div className="quality-what">
        <button type="button" className="quality-name" onClick={onOpen}>
          {contractWord(one.contract)}
        </button>
        {one.open_incidents > 0 ? <Tag word={`${one.open_incidents} open`} tone="block" /> : null}
      </div>
      <div className={`quality-score ${scoreTone(one.score)}`}>
        <span className="num">{shareText(one.score)}</span>
        <span className="muted num">
          {one.received === 0
            ? "no record in 24 h"
            : `${count(refused)} of ${count(one.received)} refused in 24 h`}
        </span>
      </div>
      <div className="quality-more muted">
        <span className="num">{shareText(hour?.score)} in 1 h</span>
        <span className="num">{shareText(month?.score)} in 30 d</span>
      </div>
      <div className="quality-spark">
        {one.history.length > 0 ? (
          <Sparkline
            values={byHour(one)}
            label={`${count(day?.received ?? 0)} records in the last 24 hours, by the hour`}
          />
        ) : null}
        <span className="muted num">
          {one.records_per_s === null ? "" : `${measure(Number(one.records_per_s.toPrecision(2)))} /s`}
        </span>
      </div>
      <div className="quality-more">
        <span>{monitorsText(one)}</span>
        <span className="muted">
          {one.last_record_at ? (
            <>
              last record <When at={one.last_record_at} />
            </>
          ) : null}
        </span>
      </div>
    </li>
  );
}

/** Records of each of the last 24 hours, hours without any as none. */
function byHour(one: Contract): number[] {
  const last = Math.max(...one.history.map((point) => Date.parse(point.at)));
  const hours = Array<number>(24).fill(0);
  for (const point of one.history) {
    const place = 23 - Math.round((last - Date.parse(point.at)) / HOUR_MS);
    if (place >= 0) hours[place] = point.received;
  }
  return hours;
}

function monitorsText(one: Contract): string {
  const states = Object.entries(one.monitors_by_state);
  if (states.length === 0) return "not watched yet";
  const order = ["unusual", "usual", "learning", "silent", "muted", "off"];
  return states
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([state, many]) => `${many} ${stateWord(state)}`)
    .join(", ");
}
