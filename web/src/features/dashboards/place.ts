import type { CSSProperties } from "react";
import type { Tile } from "./queries";

/** Where a tile stands on the grid; on a phone they stand one below the other. */
export function placeOf({ x, y, w, h }: Tile): CSSProperties {
  return { "--x": x + 1, "--y": y + 1, "--w": w, "--h": h } as CSSProperties;
}
