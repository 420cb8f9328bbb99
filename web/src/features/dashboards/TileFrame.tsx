import { BarChartOutlined, MoreOutlined, PauseCircleOutlined, TableOutlined } from "@ant-design/icons";
import { Button, Dropdown, type MenuProps, Tooltip } from "antd";
import { useRef, useState } from "react";
import { counted } from "../../shared/numbers";
import { BlockSkeleton, FailureState } from "../../shared/ui/states";
import { AsOf } from "../../shared/ui/values";
import { savePicture } from "./picture";
import type { Note, Tile, TileData } from "./queries";
import { TileBody } from "./TileBody";

export interface TileActs {
  onRefresh(tile: Tile): void;
  onRows(tile: Tile): void;
  onExport(tile: Tile): void;
  onHold(tile: Tile): void;
  /** Not given to who may not watch metrics. */
  onWatch?(tile: Tile): void;
}

interface TileFrameProps {
  tile: Tile;
  data: TileData | undefined;
  error: unknown;
  notes: readonly Note[];
  narrowed: string;
  held: boolean;
  onRetry(): void;
  acts: TileActs;
}

const TITLES: Record<string, string> = {
  failed: "This could not be computed",
  refused: "Not for you",
  waiting: "No result yet",
};

/** One tile: as of when it is, what it shows, and what can be done with it. A tile can fail alone. */
export function TileFrame({ tile, data, error, notes, narrowed, held, onRetry, acts }: TileFrameProps) {
  const [asTable, setAsTable] = useState(false);
  const frame = useRef<HTMLElement>(null);
  const good = data?.state === "shown";
  const chart = good && tile.kind !== "table" && data.rows.length > 0;
  return (
    <section ref={frame} className="part dash-tile" aria-label={tile.title} aria-busy={!data && !error}>
      <header className="dash-tile-head">
        <h2 title={tile.title}>{tile.title}</h2>
        {held ? (
          <Tooltip title="This tile stands still.">
            <PauseCircleOutlined aria-label="Stands still" />
          </Tooltip>
        ) : null}
        {chart ? (
          <Button
            type="text"
            size="small"
            className="no-print"
            icon={asTable ? <BarChartOutlined aria-hidden /> : <TableOutlined aria-hidden />}
            aria-label={asTable ? `${tile.title} as a ${tile.kind}` : `${tile.title} as a table`}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          />
        ) : null}
        {data && data.state !== "refused" ? (
          <Dropdown trigger={["click"]} menu={menuOf(tile, data, held, acts, frame.current)}>
            <Button
              type="text"
              size="small"
              className="no-print"
              icon={<MoreOutlined aria-hidden />}
              aria-label={`What to do with ${tile.title}`}
            />
          </Dropdown>
        ) : null}
      </header>
      <div className="dash-tile-body">
        {error && !data ? (
          <FailureState what={tile.title} error={error} onRetry={onRetry} />
        ) : !data ? (
          <BlockSkeleton height={80} label={`Loading ${tile.title}`} />
        ) : good ? (
          <TileBody tile={tile} data={data} notes={notes} asTable={asTable} narrowed={narrowed} />
        ) : (
          <div className="state" role={data.state === "failed" ? "alert" : undefined}>
            <p className="state-title">{TITLES[data.state] ?? "Loading"}</p>
            <p className="state-text">{data.problem}</p>
            {data.state === "refused" ? null : (
              <Button loading={data.refreshing} onClick={() => acts.onRefresh(tile)}>
                {data.state === "failed" ? "Try again" : "Refresh"}
              </Button>
            )}
          </div>
        )}
      </div>
      {good ? <Foot data={data} /> : null}
    </section>
  );
}

function Foot({ data }: { data: TileData }) {
  const more = data.total > data.rows.length;
  return (
    <footer className="dash-tile-foot muted">
      <AsOf at={data.as_of ?? undefined} />
      {data.refreshing ? <span>refreshing …</span> : null}
      {more ? <span>the first {counted(data.rows.length, "row")}</span> : null}
      {data.unfiltered.length > 0 ? (
        <span title="This tile has no such column.">not narrowed by {data.unfiltered.join(", ")}</span>
      ) : null}
      {data.problem ? (
        <span role="alert" className="dash-problem" title={data.problem}>
          {data.problem}
        </span>
      ) : null}
    </footer>
  );
}

function menuOf(
  tile: Tile,
  data: TileData,
  held: boolean,
  acts: TileActs,
  frame: HTMLElement | null,
): MenuProps {
  const good = data.state === "shown";
  return {
    items: [
      tile.query ? { key: "refresh", label: "Refresh for everybody in my role" } : null,
      { key: "hold", label: held ? "Let it go on" : "Let it stand still" },
      good ? { key: "rows", label: tile.query ? "Show all rows" : "Open where it comes from" } : null,
      tile.metric && acts.onWatch ? { key: "watch", label: "Alert me about it …" } : null,
      good ? { key: "export", label: "Export as CSV …" } : null,
      good && tile.kind !== "table" ? { key: "picture", label: "Save as a picture (PNG)" } : null,
    ].filter((one) => one !== null),
    onClick: ({ key }) => {
      if (key === "refresh") acts.onRefresh(tile);
      else if (key === "hold") acts.onHold(tile);
      else if (key === "rows") acts.onRows(tile);
      else if (key === "export") acts.onExport(tile);
      else if (key === "watch") acts.onWatch?.(tile);
      else if (frame) void savePicture(frame, tile.title);
    },
  };
}
