import { useQuery } from "@tanstack/react-query";
import { Input } from "antd";
import { useMemo, useState } from "react";
import { counted } from "../../shared/numbers";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { type CatalogueEntry, catalogueQuery } from "./queries";

const columns: readonly Column<CatalogueEntry>[] = [
  { key: "place", title: "Where", width: "minmax(150px, 1fr)", render: (one) => <code>{one.place}</code> },
  { key: "field", title: "Field", width: "minmax(120px, 0.8fr)", render: (one) => <code>{one.field}</code> },
  { key: "about", title: "Holds", width: "minmax(140px, 1fr)", render: (one) => <Text of={one.about} /> },
  {
    key: "class",
    title: "Class",
    width: "100px",
    render: (one) => <Tag word={one.data_class} tone="plain" />,
  },
  {
    key: "why",
    title: "Purpose",
    width: "minmax(180px, 1.4fr)",
    from: 900,
    render: (one) => <Text of={one.purpose} />,
  },
  {
    key: "kept",
    title: "Kept",
    width: "minmax(140px, 1fr)",
    from: 1100,
    render: (one) => <Text of={one.retention} />,
  },
  { key: "erasure", title: "Erasure", width: "110px", from: 760, render: (one) => <Text of={one.erasure} /> },
];

/** One line of a text: the whole of it on hover, and below the list once the row is chosen. */
function Text({ of }: { of: string }) {
  return (
    <span className="cut" title={of}>
      {of}
    </span>
  );
}

/** Every personal field that is kept: what it holds, why, on what ground, how long, who receives it. */
export function CatalogueList() {
  const query = useQuery(catalogueQuery);
  const [text, setText] = useState("");
  const [cursor, setCursor] = useState<string | null>(null);
  const rows = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const all = query.data ?? [];
    return wanted ? all.filter((one) => Object.values(one).join(" ").toLowerCase().includes(wanted)) : all;
  }, [query.data, text]);
  if (!query.data) return <NotYet query={query} what="The catalogue" rows={8} height={36} />;
  const open = rows.find((one) => keyOf(one) === cursor);
  return (
    <>
      <div className="filters">
        <Input.Search
          allowClear
          aria-label="Search the catalogue"
          placeholder="Search: e-mail, consent, lake …"
          value={text}
          onChange={(event) => setText(event.target.value)}
          style={{ maxWidth: 320 }}
        />
        <span className="muted num">{counted(rows.length, "field")}</span>
      </div>
      {rows.length === 0 ? (
        <EmptyState title="Nothing found">No personal field has these words.</EmptyState>
      ) : (
        <div className="records-grid">
          <DataGrid
            label="Data catalogue"
            columns={columns}
            rows={rows}
            keyOf={keyOf}
            rowHeight={38}
            cardsBelow={600}
            cardHeight={72}
            card={(one) => (
              <>
                <div className="card-line">
                  <strong>{one.about}</strong>
                  <span className="push muted">{one.data_class}</span>
                </div>
                <p className="card-why">
                  {one.place}.{one.field}
                </p>
              </>
            )}
            cursor={cursor}
            onCursor={setCursor}
            onOpen={(one) => setCursor(keyOf(one))}
          />
        </div>
      )}
      {open ? (
        <p className="privacy-detail" aria-live="polite">
          <strong>{open.about}</strong>: {open.purpose} Ground: {open.lawful_basis}. Kept: {open.retention}.
          Recipients: {open.recipients.join(", ")}. Protection: {open.protection}. Erasing does:{" "}
          {open.erasure}.
        </p>
      ) : null}
    </>
  );
}

function keyOf(one: CatalogueEntry): string {
  return `${one.place}.${one.field}`;
}
