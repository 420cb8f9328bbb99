import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import type { Schema } from "../../api/client";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { ContractFilter } from "./ContractFilter";
import { causesQuery, type QuarantinedRecord, quarantineQuery } from "./queries";
import { RecordDrawer } from "./RecordDrawer";
import { type View, valueText } from "./view";

const columns: readonly Column<QuarantinedRecord>[] = [
  { key: "at", title: "Received", width: "110px", render: (record) => <When at={record.received_at} /> },
  {
    key: "contract",
    title: "Contract",
    width: "140px",
    from: 760,
    render: (record) => contractWord(record.contract),
  },
  {
    key: "field",
    title: "Field",
    width: "minmax(110px, 0.6fr)",
    render: (record) => <Field record={record} />,
  },
  {
    key: "rule",
    title: "Rule",
    width: "minmax(90px, 0.5fr)",
    from: 900,
    render: (record) => <code className="cut">{record.errors[0]?.rule}</code>,
  },
  {
    key: "value",
    title: "Value",
    width: "minmax(100px, 0.7fr)",
    from: 640,
    render: (record) => <code className="cut">{valueText(record.errors[0]?.value)}</code>,
  },
  {
    key: "reason",
    title: "Reason",
    width: "minmax(200px, 2fr)",
    render: (record) => (
      <span className="cut">
        {record.errors[0]?.reason}
        {record.errors.length > 1 ? <span className="muted"> (+{record.errors.length - 1})</span> : null}
      </span>
    ),
  },
];

interface ListProps {
  view: View;
  onChange(view: View): void;
}

/** The records that broke their contract, newest first, each with what was wrong. */
export function QuarantineList({ view, onChange }: ListProps) {
  const query = useInfiniteQuery(quarantineQuery(view.contract, view.rule));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const [cursor, setCursor] = useState<string | null>(null);
  const { data: causes } = useQuery(causesQuery);
  const rules = useMemo(() => ruleOptions(causes?.items ?? [], view), [causes, view]);
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);
  const open = rows.find((record) => record.id === view.record);

  let body = <RowsSkeleton rows={6} height={36} label="Loading quarantined records" />;
  if (query.error && !query.data) {
    body = (
      <FailureState what="The quarantined records" error={query.error} onRetry={() => void query.refetch()} />
    );
  } else if (query.data && rows.length === 0) body = <Nothing view={view} onChange={onChange} />;
  else if (query.data) {
    body = (
      <div className="records-grid">
        <DataGrid
          label="Quarantined records"
          columns={columns}
          rows={rows}
          keyOf={(record) => record.id}
          rowHeight={36}
          cardsBelow={520}
          cardHeight={78}
          card={(record) => <Card record={record} />}
          cursor={cursor}
          onCursor={setCursor}
          onOpen={(record) => onChange({ ...view, record: record.id })}
          onEnd={more}
          footer={<ListFoot query={query} rows={rows.length} noun="record" />}
        />
      </div>
    );
  }
  return (
    <>
      <div className="filters">
        <ContractFilter view={view} onChange={onChange} />
        <Select
          aria-label="Rule"
          placeholder="Any rule"
          allowClear
          className="filter-rule"
          value={view.rule}
          onChange={(rule) => onChange({ ...view, rule })}
          options={rules}
        />
        <Button onClick={() => void query.refetch()} loading={query.isRefetching}>
          Refresh
        </Button>
      </div>
      {body}
      <RecordDrawer record={open} onClose={() => onChange({ ...view, record: undefined })} />
    </>
  );
}

/** The rules that hold records back, with how many each. */
function ruleOptions(causes: readonly Schema<"QuarantineCause">[], view: View) {
  const records = new Map<string, number>(view.rule ? [[view.rule, 0]] : []);
  for (const cause of causes) {
    if (view.contract && cause.contract !== view.contract) continue;
    records.set(cause.rule, (records.get(cause.rule) ?? 0) + cause.records);
  }
  return [...records].map(([value, many]) => ({ value, label: `${value} (${count(many)})` }));
}

function Field({ record }: { record: QuarantinedRecord }) {
  return <code className="cut">{record.errors[0]?.field || "whole record"}</code>;
}

function Card({ record }: { record: QuarantinedRecord }) {
  return (
    <>
      <div className="card-line">
        <Field record={record} />
        <span className="push muted">
          <When at={record.received_at} />
        </span>
      </div>
      <p className="card-why">{record.errors[0]?.reason}</p>
    </>
  );
}

function Nothing({ view, onChange }: ListProps) {
  if (view.contract || view.rule) {
    return (
      <EmptyState
        title="No quarantined record matches"
        action={<Button onClick={() => onChange({ tab: "quarantine" })}>Show all contracts and rules</Button>}
      >
        Every record of this choice held to its contract.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="Nothing is quarantined"
      action={<Button onClick={() => onChange({ tab: "receipts" })}>See what was received</Button>}
    >
      A record that breaks its contract is kept here with the field, the rule, the value and the reason, so
      that its sender can mend it and send it again.
    </EmptyState>
  );
}
