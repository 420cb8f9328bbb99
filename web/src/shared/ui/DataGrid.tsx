import { useVirtualizer } from "@tanstack/react-virtual";
import { Checkbox } from "antd";
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef } from "react";
import { type Column, fitting, type Selection, tracks } from "./grid";
import { useWidth } from "./useWidth";

interface DataGridProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  rowHeight: number;
  /** Below this width each row is drawn by `card` instead. */
  cardsBelow: number;
  card(row: Row): ReactNode;
  cardHeight: number;
  cursor: string | null;
  onCursor(key: string): void;
  onOpen(row: Row): void;
  selection?: Selection;
  toneOf?(row: Row): string;
  footer?: ReactNode;
  onEnd?(): void;
  onScroll?(top: number): void;
  scrollRef?: RefObject<HTMLDivElement | null>;
}

/** A list of any length: only the rows in sight exist. Works by mouse, touch and keyboard. */
export function DataGrid<Row>(props: DataGridProps<Row>) {
  const { columns, rows, keyOf, cursor, selection } = props;
  const own = useRef<HTMLDivElement>(null);
  const scroll = props.scrollRef ?? own;
  const width = useWidth(scroll);
  const asCards = width > 0 && width < props.cardsBelow;
  const shown = asCards ? [] : fitting(columns, width || 10_000);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => (asCards ? props.cardHeight : props.rowHeight),
    getItemKey: (index) => keyOf(rows[index] as Row),
    overscan: 8,
    initialRect: { width: 1000, height: 800 },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights change with the layout only.
  useEffect(() => virtual.measure(), [asCards, props.rowHeight, props.cardHeight]);

  const at = cursor === null ? -1 : rows.findIndex((row) => keyOf(row) === cursor);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const { onEnd } = props;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 10) onEnd?.();
  }, [last, rows.length, onEnd]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[at];
    const go = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    }[event.key];
    if (go !== undefined) {
      const next = rows[Math.max(0, Math.min(rows.length - 1, go))];
      if (next) props.onCursor(keyOf(next));
    } else if (event.key === "Enter" && row) props.onOpen(row);
    else if (event.key === " " && row && selection) selection.toggle(keyOf(row), event.shiftKey);
    else return;
    event.preventDefault();
  };

  const template = asCards ? "minmax(0, 1fr)" : tracks(shown, selection !== undefined);
  return (
    <div
      ref={scroll}
      className={asCards ? "grid grid-cards" : "grid"}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-multiselectable={selection ? true : undefined}
      aria-activedescendant={at >= 0 ? `row-${cursor}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(event) => props.onScroll?.(event.currentTarget.scrollTop)}
    >
      {asCards ? null : (
        <Header
          columns={shown}
          template={template}
          selection={selection}
          everything={rows.length > 0 && rows.every((row) => selection?.keys.has(keyOf(row)))}
        />
      )}
      <div role="rowgroup" className="grid-body" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const key = keyOf(row);
          const classes = ["grid-row", props.toneOf?.(row) ?? "", key === cursor ? "grid-cursor" : ""];
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself handles the keys of its rows.
            <div
              key={item.key}
              id={`row-${key}`}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={selection ? selection.keys.has(key) : key === cursor}
              className={classes.join(" ")}
              style={{
                transform: `translateY(${item.start}px)`,
                height: item.size,
                gridTemplateColumns: template,
              }}
              onClick={() => {
                props.onCursor(key);
                props.onOpen(row);
              }}
            >
              {asCards ? null : <Box selection={selection} id={key} row={item.index + 1} />}
              {asCards ? (
                <div role="gridcell" className="grid-card">
                  {props.card(row)}
                </div>
              ) : (
                shown.map((column) => (
                  <div
                    role="gridcell"
                    key={column.key}
                    className={column.align === "right" ? "cell right" : "cell"}
                  >
                    {column.render(row)}
                  </div>
                ))
              )}
            </div>
          );
        })}
      </div>
      {props.footer ? <div className="grid-foot">{props.footer}</div> : null}
    </div>
  );
}

interface HeaderProps<Row> {
  columns: readonly Column<Row>[];
  template: string;
  selection: Selection | undefined;
  everything: boolean;
}

function Header<Row>({ columns, template, selection, everything }: HeaderProps<Row>) {
  return (
    <div role="rowgroup" className="grid-head">
      <div
        role="row"
        tabIndex={-1}
        aria-rowindex={1}
        className="grid-row-head"
        style={{ gridTemplateColumns: template }}
      >
        {selection ? (
          <div role="columnheader" tabIndex={-1} className="cell">
            <Checkbox
              aria-label="Choose all loaded rows"
              checked={everything}
              indeterminate={!everything && selection.keys.size > 0}
              onChange={(event) => selection.all(event.target.checked)}
            />
          </div>
        ) : null}
        {columns.map((column) => (
          <div
            role="columnheader"
            tabIndex={-1}
            key={column.key}
            className={column.align === "right" ? "cell right" : "cell"}
          >
            {column.title}
          </div>
        ))}
      </div>
    </div>
  );
}

function Box({ selection, id, row }: { selection: Selection | undefined; id: string; row: number }) {
  if (!selection) return null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the box inside has its own keys.
    <div className="cell" role="gridcell" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
      <Checkbox
        aria-label={`Choose row ${row}`}
        tabIndex={-1}
        checked={selection.keys.has(id)}
        onChange={(event) => selection.toggle(id, event.nativeEvent.shiftKey)}
      />
    </div>
  );
}
