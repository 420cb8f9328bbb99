import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm, Switch } from "antd";
import { useState } from "react";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import {
  type Run,
  removeSchedule,
  runQuery,
  runSchedule,
  type Schedule,
  type ScheduleBody,
  savedQuery,
  saveSchedule,
  schedulesQuery,
} from "./queries";
import { ScheduleDialog } from "./ScheduleDialog";

const STATES = {
  ok: ["OK", "approve"],
  pending: ["Pending", "review"],
  firing: ["Firing", "block"],
  error: ["Failed", "block"],
} as const;

const WATCHED: Record<NonNullable<Schedule["alert"]>["test"], string> = {
  any_row: "when it holds of a row",
  all_rows: "when it holds of all rows",
  first_row: "when it holds of the first row",
  row_count: "when it holds of the number of rows",
};

/** What runs by itself, when, and what it found. */
export function ScheduleList({ onNew, onRun }: { onNew(): void; onRun(run: Run): void }) {
  const query = useQuery(schedulesQuery);
  const saved = useQuery(savedQuery);
  const [changed, setChanged] = useState<Schedule | null>(null);
  if (query.error && !query.data)
    return (
      <section className="part">
        <FailureState what="The schedules" error={query.error} onRetry={() => void query.refetch()} />
      </section>
    );
  if (!query.data)
    return (
      <section className="part">
        <RowsSkeleton rows={4} height={56} label="Loading schedules" />
      </section>
    );
  if (query.data.length === 0)
    return (
      <section className="part">
        <EmptyState
          title="Nothing is scheduled"
          action={
            <Button type="primary" onClick={onNew}>
              Choose a saved query
            </Button>
          }
        >
          Let a saved query run by itself, find its result here, and be warned when something is in it.
        </EmptyState>
      </section>
    );
  const known = saved.data?.items.find((one) => one.id === changed?.saved);
  return (
    <section className="part" aria-label="Schedules">
      <ul className="sql-list">
        {query.data.map((one) => (
          <Row key={one.id} schedule={one} onChange={() => setChanged(one)} onRun={onRun} />
        ))}
      </ul>
      {changed && known ? (
        <ScheduleDialog saved={known} schedule={changed} onClose={() => setChanged(null)} />
      ) : null}
    </section>
  );
}

interface RowProps {
  schedule: Schedule;
  onChange(): void;
  onRun(run: Run): void;
}

function Row({ schedule, onChange, onRun }: RowProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const act = async (work: () => Promise<unknown>, done?: string) => {
    try {
      await work();
      await client.invalidateQueries({ queryKey: ["sql", "schedules"] });
      if (done) message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  const [word, tone] = STATES[schedule.state];
  const ran = schedule.last_run !== null;
  const latest = schedule.last_run;
  return (
    <li>
      <div className="sql-list-text">
        <p className="sql-list-head">
          <strong>{schedule.name}</strong>
          {ran || schedule.state !== "ok" ? (
            <Tag word={word} tone={tone} />
          ) : (
            <Tag word="Has not run" tone="quiet" />
          )}
        </p>
        <p className="muted">
          <span title={`${schedule.cron} (${schedule.timezone})`}>{schedule.schedule}</span>{" "}
          {schedule.timezone}
          {schedule.next_at ? (
            <>
              {" · next "}
              <When at={schedule.next_at} />
            </>
          ) : (
            " · paused"
          )}
          {schedule.alert ? ` · warns ${WATCHED[schedule.alert.test]}: ${schedule.alert.condition}` : ""}
        </p>
        {schedule.problem || schedule.reason ? <p>{schedule.problem || schedule.reason}</p> : null}
      </div>
      <div className="sql-list-acts">
        {latest ? (
          <Button onClick={() => void act(async () => onRun(await client.fetchQuery(runQuery(latest))))}>
            Latest result
          </Button>
        ) : null}
        <Button onClick={() => void act(() => runSchedule(schedule.id), "It runs within seconds.")}>
          Run now
        </Button>
        <Button onClick={onChange}>Change</Button>
        <Switch
          aria-label={`${schedule.name} is active`}
          checked={schedule.active}
          onChange={(active) => void act(() => saveSchedule({ ...bodyOf(schedule), active }, schedule.id))}
        />
        <Popconfirm
          title={`Delete ${schedule.name}?`}
          okText="Delete"
          onConfirm={() => void act(() => removeSchedule(schedule.id))}
        >
          <Button danger type="text">
            Delete
          </Button>
        </Popconfirm>
      </div>
    </li>
  );
}

function bodyOf({ saved, name, cron, timezone, parameters, alert, active, version }: Schedule): ScheduleBody {
  return { saved, name, cron, timezone, parameters, alert, active, version };
}
