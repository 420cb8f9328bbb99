import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Segmented, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { paths } from "../../../shared/paths";
import { DataGrid } from "../../../shared/ui/DataGrid";
import { ListFoot } from "../../../shared/ui/ListFoot";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton } from "../../../shared/ui/states";
import { AccessDrawer } from "./AccessDrawer";
import { AccessCard, columns } from "./columns";
import { type AccessFilter, alertsQuery, parseFilter, RULES, toSearch } from "./queries";
import "./access.css";
import { useFailure } from "../../../shared/useFailure";

/** Accesses that look unauthorised: who, why, and what is done about it. */
export function AccessPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const filter = useMemo(() => parseFilter(JSON.parse(shape)), [shape]);
  const opened = typeof search.alert === "string" ? search.alert : undefined;
  const navigate = useNavigate();
  const go = (next: AccessFilter, alert?: string) =>
    void navigate({ to: paths.access, search: toSearch(next, alert), replace: true, resetScroll: false });
  const query = useInfiniteQuery(alertsQuery(filter));
  const counts = query.data?.pages[0]?.counts ?? {};
  const label = (state: string, word: string) =>
    counts[state] ? `${word} (${counts[state].toLocaleString("en")})` : word;
  return (
    <Page fill title="Access alerts">
      <section className="part access-part" aria-label="Alerts">
        <div className="filters">
          <Segmented<AccessFilter["state"]>
            aria-label="State"
            value={filter.state}
            onChange={(state) => go({ ...filter, state })}
            options={[
              { value: "open", label: label("open", "Open") },
              { value: "acknowledged", label: label("acknowledged", "Taken on") },
              { value: "closed", label: label("closed", "Closed") },
              { value: "all", label: "All" },
            ]}
          />
          <Select
            aria-label="Rule"
            placeholder="Any rule"
            allowClear
            className="access-rule"
            popupMatchSelectWidth={false}
            value={filter.rule}
            onChange={(rule) => go({ ...filter, rule })}
            options={Object.entries(RULES).map(([value, title]) => ({ value, label: title }))}
          />
          {filter.subject ? (
            <Button onClick={() => go({ ...filter, subject: undefined })}>
              Only {filter.subject.slice(0, 16)} (show all)
            </Button>
          ) : null}
        </div>
        <Alerts filter={filter} query={query} onOpen={(alert) => go(filter, alert)} onFilter={go} />
      </section>
      <AccessDrawer id={opened} onClose={() => go(filter)} />
    </Page>
  );
}

interface AlertsProps {
  filter: AccessFilter;
  query: ReturnType<typeof useAlerts>;
  onOpen(alert: string): void;
  onFilter(filter: AccessFilter): void;
}

function useAlerts(filter: AccessFilter) {
  return useInfiniteQuery(alertsQuery(filter));
}

function Alerts({ filter, query, onOpen, onFilter }: AlertsProps) {
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const failure = useFailure(query, alertsQuery(filter).queryKey);
  const [cursor, setCursor] = useState<string | null>(null);
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);
  if (failure) {
    return <FailureState what="The access alerts" error={failure} onRetry={() => void query.refetch()} />;
  }
  if (!query.data) return <RowsSkeleton rows={8} height={40} label="Loading access alerts" />;
  if (rows.length === 0) {
    const narrowed = filter.rule !== undefined || filter.subject !== undefined;
    return (
      <EmptyState
        title={narrowed ? "No alert matches" : "No access looks unauthorised"}
        action={<Button onClick={() => onFilter({ state: "all" })}>Show alerts of every state</Button>}
      >
        Finer reads every sign-in, denied request, export and change of rights, and raises an alert here when
        one does not look like its owner.
      </EmptyState>
    );
  }
  return (
    <div className="access-grid">
      <DataGrid
        label="Access alerts"
        columns={columns}
        rows={rows}
        keyOf={(alert) => alert.id}
        rowHeight={40}
        cardsBelow={640}
        cardHeight={84}
        card={(alert) => <AccessCard alert={alert} />}
        cursor={cursor}
        onCursor={setCursor}
        onOpen={(alert) => onOpen(alert.id)}
        onEnd={more}
        footer={<ListFoot query={query} rows={rows.length} noun="alert" />}
      />
    </div>
  );
}
