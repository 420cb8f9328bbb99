import type { Tile } from "./queries";

export const COLUMNS = 12;
export const ROW_PX = 56;
export const GAP_PX = 12;
const LEAST = 2;
const TALLEST = 24;
export type Step = "left" | "right" | "up" | "down" | "wider" | "narrower" | "taller" | "shorter";
type Place = Pick<Tile, "x" | "y" | "w" | "h">;

/**
 * The tiles with one of them at another place or size; the others make room, and all close up towards the top.
 * At equal height, the one that moved stands above the others.
 */
export function settled(tiles: readonly Tile[], id: string, change: Partial<Place>): Tile[] {
  const changed = tiles.map((tile) =>
    tile.id === id ? { ...tile, ...onGrid({ ...tile, ...change }) } : tile,
  );
  const height = (tile: Tile) => (tile.id === id ? tile.y - 0.5 : tile.y);
  const order = [...changed].sort((one, other) => height(one) - height(other) || one.x - other.x);
  const places = new Map<string, number>();
  const above: Tile[] = [];
  for (const tile of order) {
    const y = Math.max(
      0,
      ...above
        .filter((one) => one.x < tile.x + tile.w && tile.x < one.x + one.w)
        .map((one) => (places.get(one.id) ?? 0) + one.h),
    );
    places.set(tile.id, y);
    above.push(tile);
  }
  return changed.map((tile) => ({ ...tile, y: places.get(tile.id) ?? tile.y }));
}

function onGrid({ x, y, w, h }: Place): Place {
  const width = Math.min(COLUMNS, Math.max(LEAST, w));
  return {
    x: Math.min(COLUMNS - width, Math.max(0, x)),
    y,
    w: width,
    h: Math.min(TALLEST, Math.max(LEAST, h)),
  };
}

/** The tiles with one of them moved or resized by a step. */
export function stepped(tiles: readonly Tile[], id: string, step: Step): Tile[] {
  const one = tiles.find((tile) => tile.id === id);
  if (!one) return [...tiles];
  switch (step) {
    case "left":
      return settled(tiles, id, { x: one.x - 1 });
    case "right":
      return settled(tiles, id, { x: one.x + 1 });
    case "wider":
      return settled(tiles, id, { w: Math.min(COLUMNS - one.x, one.w + 1) });
    case "narrower":
      return settled(tiles, id, { w: one.w - 1 });
    case "taller":
      return settled(tiles, id, { h: one.h + 1 });
    case "shorter":
      return settled(tiles, id, { h: one.h - 1 });
    default:
      return past(tiles, one, step === "up" ? -1 : 1);
  }
}

/** Up and down pass a neighbour: one row alone would be closed up again at once. */
function past(tiles: readonly Tile[], one: Tile, direction: number): Tile[] {
  const before = settled(tiles, one.id, {});
  for (let rows = 1; rows <= 2 * TALLEST; rows += 1) {
    const found = settled(tiles, one.id, { y: one.y + direction * rows });
    if (found.some((tile, at) => tile.y !== before[at]?.y)) return found;
  }
  return before;
}

/** The order in which people read tiles. */
export const inOrder = (tiles: readonly Tile[]): Tile[] =>
  [...tiles].sort((one, other) => one.y - other.y || one.x - other.x);
