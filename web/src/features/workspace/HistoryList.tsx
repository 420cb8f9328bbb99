import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { counted, duration } from "../../shared/numbers";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { historyQuery, type Run } from "./queries";

const STATES: Record<Run["state"], [string, string]> = {
  queued: ["Waiting", "plain"],
  running: ["Running", "review"],
  done: ["Done", "approve"],
  failed: ["Failed", "block"],
  cancelled: ["Cancelled", "quiet"],
};

/** What this person asked, the newest first. */
export function HistoryList({ onOpen, onNew }: { onOpen(run: Run): void; onNew(): void }) {
  const query = useQuery(historyQuery);
  if (query.error && !query.data)
    return (
      <section className="part">
        <FailureState what="The history" error={query.error} onRetry={() => void query.refetch()} />
      </section>
    );
  if (!query.data)
    return (
      <section className="part">
        <RowsSkeleton rows={6} height={44} label="Loading the history" />
      </section>
    );
  if (query.data.length === 0)
    return (
      <section className="part">
        <EmptyState
          title="Nothing asked yet"
          action={
            <Button type="primary" onClick={onNew}>
              Write a query
            </Button>
          }
        >
          Everything that you ask is here for 180 days; only you see it.
        </EmptyState>
      </section>
    );
  return (
    <section className="part" aria-label="History">
      <ul className="sql-list">
        {query.data.map((run) => (
          <li key={run.id}>
            <div className="sql-list-text">
              <p className="sql-list-head">
                <When at={run.asked_at} />
                <Tag word={STATES[run.state][0]} tone={STATES[run.state][1]} />
                <span className="muted">
                  {run.rows === null ? "" : `${counted(run.rows, "row")} · ${duration(run.cost.seconds)}`}
                  {run.schedule ? " · by schedule" : ""}
                </span>
              </p>
              <code className="sql-statement">{run.statement}</code>
              {run.error ? <p className="muted">{run.error.split("\n")[0]}</p> : null}
            </div>
            <div className="sql-list-acts">
              <Button onClick={() => onOpen(run)}>Open</Button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
