import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Input, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { ContractFilter } from "./ContractFilter";
import { type Receipt, receiptsQuery } from "./queries";
import { ReceiptDrawer } from "./ReceiptDrawer";
import type { View } from "./view";

const number = (
  key: "received" | "accepted" | "duplicate" | "quarantined",
  title: string,
  from?: number,
) => ({
  key,
  title,
  width: "100px",
  align: "right" as const,
  from,
  render: (receipt: Receipt) => <span className="num">{count(receipt[key])}</span>,
});

const columns: readonly Column<Receipt>[] = [
  { key: "at", title: "Received", width: "110px", render: (receipt) => <When at={receipt.received_at} /> },
  {
    key: "contract",
    title: "Contract",
    width: "minmax(130px, 1fr)",
    render: (receipt) => contractWord(receipt.contract),
  },
  { key: "source", title: "Source", width: "90px", from: 900, render: (receipt) => receipt.source },
  number("received", "Records"),
  number("accepted", "Accepted", 640),
  number("duplicate", "Duplicate", 760),
  number("quarantined", "Quarantined"),
  {
    key: "state",
    title: "State",
    width: "110px",
    from: 700,
    render: (receipt) => <State receipt={receipt} />,
  },
];

/** What was sent, one row per request or file, newest first. */
export function ReceiptList({ view, onChange }: { view: View; onChange(view: View): void }) {
  const query = useInfiniteQuery(receiptsQuery(view));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const filtered = Boolean(view.contract || view.state || view.source);
  const [cursor, setCursor] = useState<string | null>(null);
  const [open, setOpen] = useState<Receipt | undefined>(undefined);
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);

  let body = <NotYet query={query} what="The receipts" rows={6} height={36} />;
  if (query.data && rows.length === 0) {
    body = filtered ? (
      <EmptyState
        title="No receipt fits"
        action={
          <Button
            onClick={() => onChange({ ...view, contract: undefined, state: undefined, source: undefined })}
          >
            Clear the filters
          </Button>
        }
      >
        None of the last 30 days has this contract, state and source.
      </EmptyState>
    ) : (
      <EmptyState
        title="No receipts yet"
        action={<Button onClick={() => void query.refetch()}>Check again</Button>}
      >
        Every request that brings records gets a receipt that accounts for each of them.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <div className="records-grid">
        <DataGrid
          label="Receipts"
          columns={columns}
          rows={rows}
          keyOf={(receipt: Receipt) => receipt.id}
          rowHeight={36}
          cardsBelow={520}
          cardHeight={64}
          card={(receipt) => <Card receipt={receipt} />}
          cursor={cursor}
          onCursor={(key) => setCursor(key)}
          onOpen={(receipt) => setOpen(receipt)}
          onEnd={more}
          footer={<ListFoot query={query} rows={rows.length} noun="receipt" />}
        />
      </div>
    );
  }
  return (
    <>
      <div className="filters">
        <ContractFilter view={view} onChange={onChange} />
        <Select
          aria-label="State"
          placeholder="Any state"
          allowClear
          className="filter-rule"
          value={view.state}
          onChange={(state) => onChange({ ...view, state })}
          options={[
            { value: "processing", label: "Processing" },
            { value: "done", label: "Done" },
          ]}
        />
        <Input.Search
          key={view.source}
          aria-label="Source"
          placeholder="Source"
          allowClear
          className="filter-rule"
          defaultValue={view.source}
          onSearch={(text) => onChange({ ...view, source: text.trim() || undefined })}
        />
        <Button onClick={() => void query.refetch()} loading={query.isRefetching}>
          Refresh
        </Button>
      </div>
      {body}
      <ReceiptDrawer receipt={open} onClose={() => setOpen(undefined)} />
    </>
  );
}

function State({ receipt }: { receipt: Receipt }) {
  return receipt.state === "done" ? (
    <Tag word="Done" tone="quiet" />
  ) : (
    <Tag word="Processing" tone="review" />
  );
}

function Card({ receipt }: { receipt: Receipt }) {
  return (
    <>
      <div className="card-line">
        <strong>{contractWord(receipt.contract)}</strong>
        <span className="push muted">
          <When at={receipt.received_at} />
        </span>
      </div>
      <p className="card-why num">
        {count(receipt.accepted)} accepted, {count(receipt.duplicate)} duplicate, {count(receipt.quarantined)}{" "}
        quarantined
      </p>
    </>
  );
}
