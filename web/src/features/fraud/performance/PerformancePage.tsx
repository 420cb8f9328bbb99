import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Input, InputNumber, Segmented } from "antd";
import { useMemo } from "react";
import { download } from "../../../shared/csv";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { dateText, dayOf } from "../../../shared/time";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton } from "../../../shared/ui/states";
import { AsOf } from "../../../shared/ui/values";
import { WhereFrom } from "../../../shared/ui/WhereFrom";
import { WhyVisible } from "../../../shared/ui/WhyVisible";
import { PaymentsDrawer } from "./PaymentsDrawer";
import { PerformanceTiles } from "./PerformanceTiles";
import { type Performance, parseView, performanceQuery, SPANS, toSearch, type View } from "./queries";
import { SourceTable } from "./SourceTable";
import { Trends } from "./Trends";
import { outcomesCsv } from "./table";
import "./performance.css";

const SPAN_WORDS: Record<number, string> = { 7: "Week", 30: "30 days", 90: "90 days", 365: "Year" };

/** How right what decides was, as known today or on any day before: numbers first, then trends, then rule by rule. */
export function PerformancePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseView(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const { timeZone, may } = useSession();
  const go = (next: View) =>
    void navigate({ to: paths.performance, search: toSearch(next), resetScroll: false });
  const query = useQuery(performanceQuery(view, timeZone));
  const data = query.data;
  const open = may(permission.readDecisions) ? go : undefined;
  return (
    <Page
      title="Performance"
      aside={
        <>
          <WhyVisible needs={permission.readPerformance} what="how rules and models did" />
          <AsOf at={data?.as_of} />
        </>
      }
    >
      <div className="performance-bar">
        <Segmented
          aria-label="Period"
          value={view.days}
          options={SPANS.map((days) => ({ value: days, label: SPAN_WORDS[days] }))}
          onChange={(days) => go({ ...view, days, outcome: undefined })}
        />
        <span className="performance-field">
          <label htmlFor="performance-as-of">As known on</label>
          <Input
            id="performance-as-of"
            type="date"
            value={view.asOf ?? ""}
            max={dayOf(new Date(), timeZone)}
            onChange={(event) => go({ ...view, asOf: event.target.value || undefined, outcome: undefined })}
          />
        </span>
        {view.asOf ? (
          <Button type="link" size="small" onClick={() => go({ ...view, asOf: undefined })}>
            Now
          </Button>
        ) : null}
        <span className="performance-field">
          <label htmlFor="performance-capacity">The team works on</label>
          <InputNumber
            id="performance-capacity"
            min={1}
            max={100_000}
            value={view.capacity}
            suffix="alerts a day"
            onChange={(value) => value && go({ ...view, capacity: value })}
          />
        </span>
        {data && data.payments > 0 ? (
          <Button
            onClick={() => download(`performance-${dayOf(new Date(), timeZone)}.csv`, outcomesCsv(data))}
          >
            Download CSV
          </Button>
        ) : null}
        {query.isPlaceholderData ? (
          <span className="muted" role="status">
            Loading what you chose; these numbers are of what you chose before…
          </span>
        ) : null}
      </div>
      {query.error && !data ? (
        <FailureState what="The performance" error={query.error} onRetry={() => void query.refetch()} />
      ) : null}
      {!data && !query.error ? <RowsSkeleton rows={10} height={44} label="Loading the performance" /> : null}
      {data?.payments === 0 ? <Nothing data={data} /> : null}
      {data && data.payments > 0 ? (
        <div aria-busy={query.isPlaceholderData} className="performance-all">
          <PerformanceTiles data={data} view={view} open={open} />
          <Trends data={data} />
          <SourceTable data={data} view={view} open={open} />
        </div>
      ) : null}
      <PaymentsDrawer of={data} view={view} onClose={() => go({ ...view, outcome: undefined })} />
    </Page>
  );
}

function Nothing({ data }: { data: Performance }) {
  const { timeZone } = useSession();
  return (
    <EmptyState title="No payment was decided in this period" action={<WhereFrom />}>
      This page measures rules and models by what people found out about payments. The lake holds none between{" "}
      {dateText(data.since, timeZone)} and {dateText(data.until, timeZone)}; choose a longer period or another
      day.
    </EmptyState>
  );
}
