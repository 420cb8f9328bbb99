import { type PointerEvent, type RefObject, useRef, useState } from "react";
import { COLUMNS, GAP_PX, ROW_PX, settled } from "./layout";
import type { Tile } from "./queries";

interface Drag {
  id: string;
  /** Whether the corner is dragged, and not the head. */
  resizing: boolean;
  startX: number;
  startY: number;
  tiles: readonly Tile[];
}

interface Dragging {
  grid: RefObject<HTMLDivElement | null>;
  dragged: string | null;
  /** The handlers of a head, or of the corner. */
  handle(
    tile: Tile,
    resizing: boolean,
  ): {
    onPointerDown(event: PointerEvent<HTMLElement>): void;
    onPointerMove(event: PointerEvent<HTMLElement>): void;
    onPointerUp(): void;
    onPointerCancel(): void;
  };
}

/** Moves and resizes tiles by mouse, pen or finger; every position is one that the tiles could stay in. */
export function useDragging(tiles: readonly Tile[], onTiles: (tiles: Tile[]) => void): Dragging {
  const grid = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const move = (event: PointerEvent<HTMLElement>) => {
    const now = drag.current;
    const begun = now?.tiles.find((tile) => tile.id === now.id);
    if (!now || !begun || !grid.current) return;
    const column = (grid.current.clientWidth + GAP_PX) / COLUMNS;
    const right = Math.round((event.clientX - now.startX) / column);
    const down = Math.round((event.clientY - now.startY) / (ROW_PX + GAP_PX));
    const change = now.resizing
      ? { w: Math.min(COLUMNS - begun.x, begun.w + right), h: begun.h + down }
      : { x: begun.x + right, y: begun.y + down };
    // From where it began each time, so that tiles come back to where they were when it passes on.
    onTiles(settled(now.tiles, now.id, change));
  };
  const end = () => {
    drag.current = null;
    setDragged(null);
  };
  return {
    grid,
    dragged,
    handle: (tile, resizing) => ({
      onPointerDown: (event) => {
        if (event.button !== 0 || (event.target as HTMLElement).closest("button")) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        drag.current = { id: tile.id, resizing, startX: event.clientX, startY: event.clientY, tiles };
        setDragged(tile.id);
      },
      onPointerMove: move,
      onPointerUp: end,
      onPointerCancel: end,
    }),
  };
}
