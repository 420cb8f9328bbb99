import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { type RefObject, useCallback, useMemo } from "react";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Selection } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { WhereFrom } from "../../shared/ui/WhereFrom";
import { CaseCard, columns } from "./caseColumns";
import { type Case, type Filter, isNarrowed } from "./filter";
import { casesQuery } from "./queries";

interface ListProps {
  filter: Filter;
  compact: boolean;
  cursor: string | null;
  selection: Selection | undefined;
  scrollRef: RefObject<HTMLDivElement | null>;
  onCursor(id: string): void;
  onOpen(id: string): void;
  onClear(): void;
}

/** The queue, or what stands in its place while there is nothing to list. */
export function CaseList(props: ListProps) {
  const { filter, compact, cursor, selection, scrollRef, onCursor, onOpen, onClear } = props;
  const query = useInfiniteQuery(casesQuery(filter));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  const height = compact ? 34 : 44;
  if (query.isPending) return <RowsSkeleton rows={12} height={height} label="Loading cases" />;
  if (query.error && !query.data)
    return <FailureState what="The cases" error={query.error} onRetry={() => void query.refetch()} />;
  if (rows.length === 0) return <NoCases filter={filter} onClear={onClear} />;
  return (
    <DataGrid
      label="Cases"
      columns={columns}
      rows={rows}
      keyOf={keyOf}
      rowHeight={height}
      cardsBelow={CARDS_BELOW}
      card={card}
      cardHeight={92}
      cursor={cursor}
      onCursor={onCursor}
      onOpen={(row) => onOpen(row.id)}
      selection={selection}
      scrollRef={scrollRef}
      onEnd={more}
      footer={<ListFoot query={query} rows={rows.length} noun="case" />}
    />
  );
}

/** The columns that are always there need this much. */
const CARDS_BELOW = 600;
const keyOf = (each: Case) => each.id;
const card = (each: Case) => <CaseCard of={each} />;

function NoCases({ filter, onClear }: { filter: Filter; onClear(): void }) {
  if (isNarrowed(filter)) {
    return (
      <EmptyState title="No case matches" action={<Button onClick={onClear}>Clear the filter</Button>}>
        Nothing fits the filter above. New cases that fit appear here by themselves.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No cases here"
      action={filter.closed === "no" ? <WhereFrom /> : <Button onClick={onClear}>Show open cases</Button>}
    >
      Alerts of one customer become a case a moment after they were raised. The case that is due first and
      costs most is on top.
    </EmptyState>
  );
}
