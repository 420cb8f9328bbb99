import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { reasonOf } from "../../shared/ui/states";
import { PAGE_ROWS, type ResultColumn, type Rows, type Run, rowsQuery } from "./queries";

const ROW_PX = 28;
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** The rows of a result: any number of them, of which only those in sight exist; pages come as one scrolls. */
export function ResultTable({ run, first }: { run: Run; first: Rows }) {
  const scroll = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState(1);
  const pages = useQueries({
    queries: Array.from({ length: wanted }, (_, page) => rowsQuery(run.id, page * PAGE_ROWS)),
  });
  const rows = useMemo(
    () => [first, ...pages.slice(1).map((page) => page.data)].flatMap((page) => page?.items ?? []),
    [first, pages],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    initialRect: { width: 1000, height: 500 },
  });
  const items = virtual.getVirtualItems();
  const failure = pages.find((page) => page.error)?.error;
  const onScroll = () => {
    const last = items.at(-1)?.index ?? 0;
    if (!failure && last > rows.length - 50 && rows.length < first.total)
      setWanted(Math.ceil(rows.length / PAGE_ROWS) + 1);
  };
  const template = `56px ${run.columns.map(widthOf).join(" ")}`;
  return (
    <div
      ref={scroll}
      role="grid"
      tabIndex={0}
      className="sql-table"
      aria-label="Rows of the result"
      aria-rowcount={first.total + 1}
      aria-colcount={run.columns.length}
      onScroll={onScroll}
    >
      <div
        role="row"
        tabIndex={-1}
        aria-rowindex={1}
        className="sql-table-head"
        style={{ gridTemplateColumns: template }}
      >
        <span aria-hidden />
        {run.columns.map((column, i) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name, and their order is what tells them apart.
            key={i}
            role="columnheader"
            tabIndex={-1}
            title={`${column.name}: ${column.type}`}
            className={column.type === "number" ? "right" : undefined}
          >
            {column.name}
          </span>
        ))}
      </div>
      {rows.length === 0 ? <p className="state-text sql-none">No row meets the question.</p> : null}
      <div role="rowgroup" className="sql-table-body" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => (
          <div
            key={item.key}
            role="row"
            tabIndex={-1}
            aria-rowindex={item.index + 2}
            className="sql-table-row"
            style={{ transform: `translateY(${item.start}px)`, gridTemplateColumns: template }}
          >
            <span className="muted num" aria-hidden>
              {item.index + 1}
            </span>
            {run.columns.map((column, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above.
              <Cell key={i} column={column} value={rows[item.index]?.[i]} />
            ))}
          </div>
        ))}
      </div>
      {failure ? (
        <p role="alert" className="state-text sql-none">
          {reasonOf(failure)}
        </p>
      ) : null}
    </div>
  );
}

function Cell({ column, value }: { column: ResultColumn; value: unknown }) {
  const text = cellText(value);
  const right = column.type === "number";
  return (
    <span role="gridcell" tabIndex={-1} title={text} className={right ? "right num" : undefined}>
      {value === null || value === undefined ? <em className="muted">null</em> : text}
    </span>
  );
}

export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return number.format(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function widthOf(column: ResultColumn): string {
  if (column.type === "number" || column.type === "boolean") return "minmax(110px, 1fr)";
  return column.type === "timestamp" ? "minmax(210px, 1fr)" : "minmax(150px, 1.4fr)";
}
