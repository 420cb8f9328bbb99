import { CopyOutlined, DeleteOutlined, DragOutlined, EditOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { KeyboardEvent } from "react";
import { inOrder, type Step, stepped } from "./layout";
import { placeOf } from "./place";
import type { Tile } from "./queries";
import { useDragging } from "./useDragging";

const STEPS: Record<string, [Step, Step]> = {
  ArrowLeft: ["left", "narrower"],
  ArrowRight: ["right", "wider"],
  ArrowUp: ["up", "shorter"],
  ArrowDown: ["down", "taller"],
};
const KINDS: Record<Tile["kind"], string> = {
  bar: "bars",
  line: "lines",
  number: "a number",
  table: "a table",
};

interface EditGridProps {
  tiles: readonly Tile[];
  onTiles(tiles: Tile[]): void;
  onEdit(tile: Tile): void;
  onCopy(tile: Tile): void;
}

/** The tiles while they are laid out: dragged, or moved by the arrow keys and resized with Shift. */
export function EditGrid({ tiles, onTiles, onEdit, onCopy }: EditGridProps) {
  const { grid, dragged, handle } = useDragging(tiles, onTiles);
  const onKey = (event: KeyboardEvent, tile: Tile) => {
    const step = STEPS[event.key];
    if (!step || event.target !== event.currentTarget) return;
    event.preventDefault();
    onTiles(stepped(tiles, tile.id, step[event.shiftKey ? 1 : 0]));
  };
  return (
    <div ref={grid} className="dash-grid">
      {inOrder(tiles).map((tile) => (
        <div key={tile.id} className="dash-cell" style={placeOf(tile)}>
          {/* biome-ignore lint/a11y/useSemanticElements: a tile holds buttons, and a fieldset has no keys. */}
          <div
            role="group"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move what has the focus.
            tabIndex={0}
            className={`part dash-tile dash-draft${dragged === tile.id ? " dash-dragged" : ""}`}
            aria-label={`${tile.title}, column ${tile.x + 1}, row ${tile.y + 1}, ${tile.w} wide, ${tile.h} high`}
            aria-describedby="dash-keys"
            onKeyDown={(event) => onKey(event, tile)}
          >
            <header className="dash-tile-head dash-handle" {...handle(tile, false)}>
              <DragOutlined aria-hidden />
              <h2 title={tile.title}>{tile.title}</h2>
              <Button
                type="text"
                size="small"
                icon={<EditOutlined aria-hidden />}
                aria-label={`Edit ${tile.title}`}
                onClick={() => onEdit(tile)}
              />
              <Button
                type="text"
                size="small"
                icon={<CopyOutlined aria-hidden />}
                aria-label={`Copy ${tile.title}`}
                onClick={() => onCopy(tile)}
              />
              <Button
                type="text"
                size="small"
                danger
                icon={<DeleteOutlined aria-hidden />}
                aria-label={`Take ${tile.title} away`}
                onClick={() => onTiles(tiles.filter((one) => one.id !== tile.id))}
              />
            </header>
            <p className="muted dash-draft-note">
              {tile.metric ? "A metric" : "A saved query"} as {KINDS[tile.kind]}
            </p>
            <span className="dash-corner" aria-hidden {...handle(tile, true)} />
          </div>
        </div>
      ))}
    </div>
  );
}
