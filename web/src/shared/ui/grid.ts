import type { ReactNode } from "react";

export interface Column<Row> {
  key: string;
  title: string;
  /** A track of CSS grid: "90px", "minmax(120px, 1fr)". */
  width: string;
  align?: "right";
  /** Left out when the list is narrower than this. */
  from?: number;
  render(row: Row): ReactNode;
}

export interface Selection {
  keys: ReadonlySet<string>;
  /** Sets the rows between the last toggled one and this when `range` is true. */
  toggle(key: string, range: boolean): void;
  all(checked: boolean): void;
}

/** The tracks of the columns that fit, with one for the box when rows can be chosen. */
export function tracks<Row>(columns: readonly Column<Row>[], selectable: boolean): string {
  return [...(selectable ? ["36px"] : []), ...columns.map((column) => column.width)].join(" ");
}

/** The columns that fit into a width in pixels. */
export function fitting<Row>(columns: readonly Column<Row>[], width: number): Column<Row>[] {
  return columns.filter((column) => column.from === undefined || width >= column.from);
}
