import { useSession } from "../../../shared/session";
import { shortTime } from "../../../shared/time";
import { TableBox } from "../../../shared/ui/TableBox";
import type { Moment } from "./queries";
import { type Line, UNDER_WAY } from "./series";

/** The numbers of a chart, the newest first, for whoever cannot see it or wants them exactly. */
export function SeriesTable({
  moments,
  lines,
  text,
}: {
  moments: readonly Moment[];
  lines: readonly Line[];
  text(raw: number): string;
}) {
  const { timeZone } = useSession();
  return (
    <TableBox className="board-series" label="Numbers of the chart">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">From</th>
            {lines.map((line) => (
              <th key={line.name} scope="col" className="right">
                {line.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...moments].reverse().map((moment, at) => (
            <tr key={moment.at}>
              <th scope="row" className="nowrap">
                {shortTime(moment.at, timeZone)}{" "}
                {at === 0 ? <span className="muted">{UNDER_WAY}</span> : null}
              </th>
              {lines.map((line) => (
                <td key={line.name} className="right num">
                  {shown(moment.values[line.name], text)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function shown(raw: number | undefined, text: (raw: number) => string): string {
  return raw === undefined ? "–" : text(raw);
}
