import { changeText } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { Plotted } from "../../shared/ui/Plotted";
import { EmptyState } from "../../shared/ui/states";
import { cellText, crossed, figureText, numberOf } from "./figures";
import type { Note, Tile, TileData } from "./queries";
import { drawProblem, tileOption } from "./tileOption";

interface TileBodyProps {
  tile: Tile;
  data: TileData;
  notes: readonly Note[];
  asTable: boolean;
  /** The filters of the page in words; empty without any. */
  narrowed: string;
}

/** What a tile shows: a number, a chart, or rows; every chart can be read as rows too. */
export function TileBody({ tile, data, notes, asTable, narrowed }: TileBodyProps) {
  if (data.rows.length === 0) {
    return (
      <EmptyState title="Nothing to show">
        {narrowed
          ? `Nothing matches where ${narrowed}. Take a filter away.`
          : tile.metric
            ? "Nothing was counted in this time."
            : "The result has no rows."}
      </EmptyState>
    );
  }
  if (tile.kind === "number" && !asTable) return <BigNumber tile={tile} data={data} />;
  if (tile.kind === "table" || asTable) return <Rows tile={tile} data={data} />;
  const problem = drawProblem(tile, data);
  if (problem) return <EmptyState title="This cannot be drawn">{problem}</EmptyState>;
  return (
    <Plotted
      className="plot dash-plot"
      label={`${tile.title} as a ${tile.kind} chart. The table view holds the same numbers.`}
      instead="The table view holds the same numbers."
      option={(theme) => tileOption(tile, data, notes, theme)}
    />
  );
}

function BigNumber({ tile, data }: { tile: Tile; data: TileData }) {
  const value = numberOf(tile, data);
  const over = crossed(value, tile.thresholds);
  const change = changeText(data.change);
  const tone = over ? (over.severity === "critical" ? " dash-critical" : " dash-warning") : "";
  return (
    <div className={`dash-number${tone}`}>
      <span className="num dash-figure">{figureText(value, data)}</span>
      {change ? <span className="muted num">{change} against the time before</span> : null}
      {over ? (
        <span>
          {over.label || "Threshold"}: {over.side} {figureText(over.value, data)}
        </span>
      ) : null}
    </div>
  );
}

function Rows({ tile, data }: { tile: Tile; data: TileData }) {
  const { timeZone } = useSession();
  const time = data.columns[0]?.type === "timestamp" && Boolean(tile.metric);
  const rows = time ? [...data.rows].reverse() : data.rows;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="table-scroll dash-rows" tabIndex={0} aria-label={`Rows of ${tile.title}`}>
      <table className="table">
        <thead>
          <tr>
            {data.columns.map((column, at) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name.
                key={at}
                scope="col"
                className={column.type === "number" ? "right" : undefined}
              >
                {tile.metric && column.name === "value" ? data.currency || "Records" : column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no name.
            <tr key={at}>
              {data.columns.map((column, place) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                  key={place}
                  className={column.type === "number" ? "right num nowrap" : undefined}
                >
                  {cellText(row[place], column.type, data, timeZone)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
