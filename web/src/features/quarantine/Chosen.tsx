import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { contractWord } from "../../shared/contracts";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { DiscardDialog } from "./DiscardDialog";
import { Mend } from "./Mend";
import { type Choice, recordsQuery, releaseAll, selectionOf, undoAll } from "./queries";
import { useAct } from "./useAct";
import { STATES } from "./words";

interface Row {
  id: string;
  received_at: string;
  state: string;
  line: number;
  errors: { reason: string }[];
  remaining: { reason: string }[] | null;
}

const columns: readonly Column<Row>[] = [
  { key: "at", title: "Received", width: "110px", render: (record) => <When at={record.received_at} /> },
  {
    key: "line",
    title: "Line",
    width: "90px",
    from: 700,
    render: (record) => <span className="num">{record.line}</span>,
  },
  {
    key: "state",
    title: "State",
    width: "120px",
    render: (record) => <State record={record} />,
  },
  {
    key: "reason",
    title: "Reason",
    width: "minmax(220px, 3fr)",
    render: (record) => <span className="cut">{reasonsOf(record)}</span>,
  },
];

function State({ record }: { record: Row }) {
  if (record.state === "edited" && record.remaining?.length === 0) return <Tag word="Ready" tone="approve" />;
  return <Tag {...(STATES[record.state] ?? { word: record.state, tone: "plain" })} />;
}

function reasonsOf(record: Row): string {
  const wrong = record.remaining ?? record.errors;
  return (wrong.length > 0 ? wrong : record.errors).map((error) => error.reason).join(" ");
}

/** The records of one cause, or the discarded ones, and what can be done with all of them. */
export function Chosen({ choice, onChange }: { choice: Choice; onChange(choice: Choice): void }) {
  const { may } = useSession();
  const query = useInfiniteQuery(recordsQuery(choice));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [discarding, setDiscarding] = useState(false);
  const { busy, carryOut } = useAct();
  const selection = selectionOf(choice);
  const cause = `${choice.contract} ${choice.field} ${choice.rule}`;
  const place = useRef<HTMLElement>(null);
  // The causes above may fill the window: what was chosen comes into sight.
  useEffect(() => {
    if (cause !== "") place.current?.scrollIntoView?.({ block: "start" });
  }, [cause]);
  const gone = choice.state === "discarded";
  const mayEdit = may(permission.editQuarantine);
  let body = <NotYet query={query} what="The records" rows={5} height={36} />;
  if (query.data && rows.length === 0) {
    body = (
      <EmptyState
        title={gone ? "Nothing was discarded lately" : "Nothing waits here"}
        action={<Button onClick={() => onChange({})}>All causes</Button>}
      >
        {gone
          ? "Discarded records are kept for 30 days and can be put back until then."
          : "These records were released or discarded."}
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <div className="quarantine-grid">
        <DataGrid
          label="Quarantined records"
          columns={columns}
          rows={rows}
          keyOf={(record) => record.id}
          rowHeight={36}
          cardsBelow={520}
          cardHeight={78}
          card={(record) => (
            <>
              <div className="card-line">
                <State record={record} />
                <span className="push muted">
                  <When at={record.received_at} />
                </span>
              </div>
              <p className="card-why">{reasonsOf(record)}</p>
            </>
          )}
          cursor={cursor}
          onCursor={setCursor}
          onOpen={(record) => onChange({ ...choice, record: record.id })}
          onEnd={() => {
            if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
          }}
          footer={<ListFoot query={query} rows={rows.length} noun="record" />}
        />
      </div>
    );
  }
  const some = rows.length > 0;
  const edited = rows.some((record) => record.state === "edited");
  return (
    <section
      ref={place}
      className="part quarantine-chosen"
      aria-label={gone ? "Discarded records" : "Records of the cause"}
    >
      <div className="quarantine-bar">
        <h2>
          {gone ? (
            "Discarded"
          ) : (
            <>
              {contractWord(choice.contract ?? "")} · {choice.field || "record"} · {choice.rule}
            </>
          )}
        </h2>
        {mayEdit && some && (gone || edited) ? (
          <Button
            loading={busy}
            onClick={() =>
              void carryOut(() => undoAll({ ...selection, state: gone ? "discarded" : "edited" }))
            }
          >
            {gone ? "Put all back" : "Undo changes"}
          </Button>
        ) : null}
        {mayEdit && some && !gone ? (
          <Button danger disabled={busy} onClick={() => setDiscarding(true)}>
            Discard all
          </Button>
        ) : null}
        {may(permission.releaseQuarantine) && some && !gone ? (
          <Button type="primary" loading={busy} onClick={() => void carryOut(() => releaseAll(selection))}>
            Release all
          </Button>
        ) : null}
      </div>
      {mayEdit && some && !gone ? (
        <Mend key={cause} selection={selection} field={choice.field} busy={busy} carryOut={carryOut} />
      ) : null}
      {body}
      {discarding ? (
        <DiscardDialog selection={selection} carryOut={carryOut} onClose={() => setDiscarding(false)} />
      ) : null}
    </section>
  );
}
