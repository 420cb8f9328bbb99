import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { App, Button, Input } from "antd";
import { useCallback, useMemo, useState } from "react";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { Page } from "../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { Acts } from "./Acts";
import { Causes } from "./Causes";
import { Mend } from "./Mend";
import {
  type Act,
  actsQuery,
  type Choice,
  causesQuery,
  discardAll,
  parseChoice,
  recordsQuery,
  releaseAll,
  selectionOf,
  undoAll,
} from "./queries";
import { RecordEditor } from "./RecordEditor";
import "./quarantine.css";

type Row = { id: string; received_at: string; state: string; errors: { reason: string }[]; line: number };

const columns: readonly Column<Row>[] = [
  { key: "at", title: "Received", width: "110px", render: (record) => <When at={record.received_at} /> },
  {
    key: "line",
    title: "Line",
    width: "90px",
    from: 700,
    render: (record) => <span className="num">{record.line}</span>,
  },
  { key: "state", title: "State", width: "90px", render: (record) => record.state },
  {
    key: "reason",
    title: "Reason",
    width: "minmax(220px, 3fr)",
    render: (record) => <span className="cut">{record.errors.map((error) => error.reason).join(" ")}</span>,
  },
];

/** Why records are held back, and what can be done about it: mend, release, give up. */
export function QuarantinePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const choice = useMemo(() => parseChoice(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const change = useCallback(
    (next: Choice) =>
      void navigate({
        to: paths.quarantine,
        search: Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)),
        resetScroll: false,
      }),
    [navigate],
  );
  const causes = useQuery(causesQuery(choice));
  const chosen = choice.contract !== undefined && choice.rule !== undefined;
  return (
    <Page
      title="Quarantine"
      aside={
        <Input.Search
          aria-label="Search in reasons"
          placeholder="Search in reasons"
          allowClear
          defaultValue={choice.text}
          onSearch={(text) => change({ text: text || undefined })}
        />
      }
    >
      <Acts />
      {causes.error && !causes.data ? (
        <FailureState what="The causes" error={causes.error} onRetry={() => void causes.refetch()} />
      ) : causes.data ? (
        <Causes causes={causes.data.items} choice={choice} onChange={change} />
      ) : (
        <RowsSkeleton rows={4} height={40} label="Loading causes" />
      )}
      {chosen ? <Chosen choice={choice} onChange={change} /> : null}
      <RecordEditor id={choice.record} onClose={() => change({ ...choice, record: undefined })} />
    </Page>
  );
}

/** The records of one cause, and what can be done with all of them. */
function Chosen({ choice, onChange }: { choice: Choice; onChange(choice: Choice): void }) {
  const { may } = useSession();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const query = useInfiniteQuery(recordsQuery(choice));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const selection = selectionOf(choice);
  const carryOut = async (begin: () => Promise<Act>, word: string) => {
    setBusy(true);
    try {
      const act = await begin();
      if (act.state === "running") message.info(`${counted(act.matched, "record")}: under way.`);
      else message.success(`${act.changed} of ${counted(act.matched, "record")} ${word}.`);
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
    await client.invalidateQueries({ queryKey: ["quarantine"] });
    await client.refetchQueries(actsQuery);
    setBusy(false);
  };
  const discard = () => {
    let reason = "";
    modal.confirm({
      title: "Discard these records?",
      content: (
        <Input.TextArea
          aria-label="Reason"
          placeholder="Why they are not wanted"
          onChange={(event) => {
            reason = event.target.value;
          }}
        />
      ),
      okText: "Discard",
      okButtonProps: { danger: true },
      onOk: () => carryOut(() => discardAll(selection, reason), "discarded"),
    });
  };
  let body = <RowsSkeleton rows={5} height={36} label="Loading records" />;
  if (query.error && !query.data) {
    body = <FailureState what="The records" error={query.error} onRetry={() => void query.refetch()} />;
  } else if (query.data && rows.length === 0) {
    body = (
      <EmptyState
        title="Nothing waits here"
        action={<Button onClick={() => onChange({})}>All causes</Button>}
      >
        These records were released or discarded.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <div className="records-grid">
        <DataGrid
          label="Quarantined records"
          columns={columns}
          rows={rows}
          keyOf={(record) => record.id}
          rowHeight={36}
          cardsBelow={520}
          cardHeight={70}
          card={(record) => <p className="card-why">{record.errors[0]?.reason}</p>}
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
  return (
    <section className="part" aria-label="Records of the cause">
      <div className="quarantine-bar">
        <h2>
          {choice.contract} · {choice.field || "record"} · {choice.rule}
        </h2>
        {may(permission.editQuarantine) ? (
          <>
            <Button disabled={busy} onClick={() => void carryOut(() => undoAll(selection), "put back")}>
              Undo changes
            </Button>
            <Button danger disabled={busy} onClick={discard}>
              Discard all
            </Button>
          </>
        ) : null}
        {may(permission.releaseQuarantine) ? (
          <Button
            type="primary"
            loading={busy}
            onClick={() => void carryOut(() => releaseAll(selection), "released")}
          >
            Release all
          </Button>
        ) : null}
      </div>
      {may(permission.editQuarantine) ? (
        <Mend selection={selection} field={choice.field} onChange={(begin) => carryOut(begin, "changed")} />
      ) : null}
      {body}
    </section>
  );
}
