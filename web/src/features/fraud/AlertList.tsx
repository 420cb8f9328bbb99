import { ArrowUpOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { type RefObject, useCallback } from "react";
import { grantsQuery } from "../../shared/grants";
import { counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Selection } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { WhereFrom } from "../../shared/ui/WhereFrom";
import { AlertCard, columnsFor } from "./alertColumns";
import { type Alert, type Filter, isNarrowed } from "./filter";
import type { useFeed } from "./useFeed";

interface AlertListProps {
  feed: ReturnType<typeof useFeed>;
  filter: Filter;
  compact: boolean;
  cursor: string | null;
  selection: Selection | undefined;
  scrollRef: RefObject<HTMLDivElement | null>;
  onCursor(id: string): void;
  onOpen(alert: Alert): void;
  onScrolled(away: boolean): void;
  onClearFilter(): void;
}

/** The live list, or what stands in its place while there is nothing to list. */
export function AlertList(props: AlertListProps) {
  const { feed, filter, compact, scrollRef, onScrolled } = props;
  const { query, rows } = feed;
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);

  const showWaiting = () => {
    feed.show();
    scrollRef.current?.scrollTo({ top: 0 });
    onScrolled(false);
  };
  const rowHeight = compact ? 34 : 46;
  let body = null;
  if (query.isPending) body = <RowsSkeleton rows={12} height={rowHeight} label="Loading alerts" />;
  else if (query.error && !query.data) {
    body = <FailureState what="The alerts" error={query.error} onRetry={() => void query.refetch()} />;
  } else if (rows.length === 0) body = <NoAlerts filter={filter} onClearFilter={props.onClearFilter} />;
  else {
    body = (
      <DataGrid
        label="Alerts"
        columns={columnsFor(filter.state)}
        rows={rows}
        keyOf={keyOf}
        rowHeight={rowHeight}
        cardsBelow={500}
        card={card}
        cardHeight={96}
        cursor={props.cursor}
        onCursor={props.onCursor}
        onOpen={props.onOpen}
        selection={props.selection}
        toneOf={(alert) => tone(alert, filter, feed.isNew(alert))}
        onEnd={more}
        onScroll={(top) => onScrolled(top > 8)}
        scrollRef={scrollRef}
        footer={<ListFoot query={query} rows={rows.length} noun="alert" />}
      />
    );
  }
  return (
    <div className="alert-list">
      {feed.waiting > 0 ? (
        <Button
          className="pill"
          type="primary"
          shape="round"
          icon={<ArrowUpOutlined aria-hidden />}
          onClick={showWaiting}
        >
          {counted(feed.waiting, "new alert")}
        </Button>
      ) : null}
      {body}
      <span className="sr-only" role="status">
        {feed.waiting > 0 ? `${counted(feed.waiting, "new alert")} waiting` : ""}
      </span>
    </div>
  );
}

const keyOf = (alert: Alert) => alert.id;
const card = (alert: Alert) => <AlertCard alert={alert} />;

function tone(alert: Alert, filter: Filter, isNew: boolean): string {
  if (filter.state === "open" && alert.state !== "open") return "row-done";
  return isNew ? "row-new" : "";
}

function NoAlerts({ filter, onClearFilter }: { filter: Filter; onClearFilter(): void }) {
  const scope = useQuery(grantsQuery).data?.permissions[permission.readAlerts];
  if (isNarrowed(filter)) {
    return (
      <EmptyState title="No alert matches" action={<Button onClick={onClearFilter}>Clear the filter</Button>}>
        Nothing of this state fits the filter above. New alerts that fit appear here by themselves.
      </EmptyState>
    );
  }
  if (filter.state !== "open") {
    return (
      <EmptyState title="Nothing here yet" action={<Button onClick={onClearFilter}>Show open alerts</Button>}>
        Alerts move here once somebody has judged them.
      </EmptyState>
    );
  }
  if (scope === "own") {
    return (
      <EmptyState
        title="No open alert is yours"
        action={<Button onClick={onClearFilter}>Check again</Button>}
      >
        Your role sees the alerts that are assigned to you, and no others. Risk analysts assign them.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No open alerts" action={<WhereFrom />}>
      Every transaction that a rule or a model finds suspicious shows here within a second, with the reasons,
      to be confirmed or dismissed. There is nothing to judge at the moment.
    </EmptyState>
  );
}
