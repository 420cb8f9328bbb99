import { useQuery } from "@tanstack/react-query";
import { Button, Input } from "antd";
import { useState } from "react";
import { count } from "../../shared/numbers";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { WhereFrom } from "../../shared/ui/WhereFrom";
import { catalogueQuery, type Table } from "./queries";

const SHOWN: Record<string, string> = { token: "token", part: "in part", absent: "hidden" };
const SHOWN_WHY: Record<string, string> = {
  token:
    "You see a token in the place of each value: the same for the same value, so joins and counts are right.",
  part: "You see a part of each value.",
  absent: "Your role does not see these values.",
};

/** What there is to ask: tables and their columns; a click writes the name into the statement. */
export function SchemaBrowser({ onInsert }: { onInsert(text: string): void }) {
  const query = useQuery(catalogueQuery);
  const [wanted, setWanted] = useState("");
  const shown = found(query.data ?? [], wanted.trim().toLowerCase());
  return (
    <aside className="sql-schema" aria-label="Tables">
      <Input.Search
        allowClear
        aria-label="Find a table or column"
        placeholder="Find a table or column"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {query.error && !query.data ? (
        <FailureState what="The tables" error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <RowsSkeleton rows={6} height={28} label="Loading tables" />
      ) : query.data.length === 0 ? (
        <EmptyState title="The lake is empty" action={<WhereFrom />}>
          Records are here a second after they were sent.
        </EmptyState>
      ) : shown.length === 0 ? (
        <p className="muted sql-about">No table and no column is called like this.</p>
      ) : (
        <ul>
          {shown.map((table) => (
            <TableEntry key={table.name} table={table} open={wanted !== ""} onInsert={onInsert} />
          ))}
        </ul>
      )}
    </aside>
  );
}

function found(tables: readonly Table[], wanted: string): Table[] {
  if (!wanted) return [...tables];
  return tables.flatMap((table) => {
    if (table.name.includes(wanted)) return [table];
    const columns = table.columns.filter((one) =>
      `${one.name} ${one.description}`.toLowerCase().includes(wanted),
    );
    return columns.length > 0 ? [{ ...table, columns }] : [];
  });
}

function TableEntry({
  table,
  open,
  onInsert,
}: {
  table: Table;
  open: boolean;
  onInsert(text: string): void;
}) {
  return (
    <li>
      <details open={open || undefined}>
        <summary title={table.description}>
          <strong>{table.name}</strong> <span className="muted num">{count(table.rows)}</span>
        </summary>
        {table.description ? <p className="sql-about">{table.description}</p> : null}
        <Button size="small" onClick={() => onInsert(`select * from ${table.name} limit 100`)}>
          Ask for 100 rows
        </Button>
        <ul className="sql-columns">
          {table.columns.map((column) => (
            <li key={column.name}>
              <button type="button" title={column.description ?? ""} onClick={() => onInsert(column.name)}>
                <span>{column.name}</span>
                <span className="muted">{typeWord(column.type)}</span>
              </button>
              {SHOWN[column.shown ?? ""] ? (
                <span className="sql-shown" title={SHOWN_WHY[column.shown ?? ""]}>
                  {SHOWN[column.shown ?? ""]}
                </span>
              ) : null}
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

function typeWord(type: string): string {
  return type === "TIMESTAMP WITH TIME ZONE" ? "timestamp" : type.toLowerCase();
}
