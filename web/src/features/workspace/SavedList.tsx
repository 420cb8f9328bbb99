import { StarFilled, StarOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Popconfirm } from "antd";
import { useState } from "react";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { removeSaved, type Saved, savedQuery, setFavourite } from "./queries";
import { ScheduleDialog } from "./ScheduleDialog";
import { VersionsDialog } from "./VersionsDialog";

const SHARED: Record<Saved["sharing"], string> = { own: "only you", team: "a team", tenant: "the firm" };

/** What this person saved, and what others share with them. */
export function SavedList({ onOpen, onNew }: { onOpen(saved: Saved): void; onNew(): void }) {
  const [history, setHistory] = useState<Saved | null>(null);
  const query = useQuery(savedQuery);
  const [wanted, setWanted] = useState("");
  const [planned, setPlanned] = useState<Saved | null>(null);
  if (query.error && !query.data)
    return (
      <section className="part">
        <FailureState what="The saved queries" error={query.error} onRetry={() => void query.refetch()} />
      </section>
    );
  if (!query.data)
    return (
      <section className="part">
        <RowsSkeleton rows={5} height={44} label="Loading saved queries" />
      </section>
    );
  const write = (
    <Button type="primary" onClick={onNew}>
      Write a query
    </Button>
  );
  if (query.data.items.length === 0)
    return (
      <section className="part">
        <EmptyState title="No saved queries" action={write}>
          Save a question once, and ask it again with other values, on a schedule, or with your team.
        </EmptyState>
      </section>
    );
  const text = wanted.trim().toLowerCase();
  const found = query.data.items.filter((one) =>
    `${one.name} ${one.description} ${one.folder} ${one.tags.join(" ")} ${one.owner_name}`
      .toLowerCase()
      .includes(text),
  );
  return (
    <section className="part" aria-label="Saved queries">
      <div className="filters sql-filters">
        <Input.Search
          allowClear
          aria-label="Find a saved query"
          placeholder="Name, folder, tag or owner"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {write}
      </div>
      {found.length === 0 ? <p className="state-text sql-none">No saved query holds these words.</p> : null}
      <ul className="sql-list">
        {found.map((one) => (
          <Row
            key={one.id}
            saved={one}
            onOpen={() => onOpen(one)}
            onPlan={() => setPlanned(one)}
            onHistory={() => setHistory(one)}
          />
        ))}
      </ul>
      {history ? (
        <VersionsDialog
          saved={history}
          onClose={() => setHistory(null)}
          onOpen={({ statement, parameters, chart }) => onOpen({ ...history, statement, parameters, chart })}
        />
      ) : null}
      {planned ? <ScheduleDialog saved={planned} onClose={() => setPlanned(null)} /> : null}
    </section>
  );
}

interface RowProps {
  saved: Saved;
  onOpen(): void;
  onPlan(): void;
  onHistory(): void;
}

function Row({ saved, onOpen, onPlan, onHistory }: RowProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work();
      await client.invalidateQueries({ queryKey: ["sql"] });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  return (
    <li>
      <Button
        type="text"
        aria-pressed={saved.favourite}
        aria-label={saved.favourite ? `Let go of ${saved.name}` : `Keep ${saved.name} at hand`}
        icon={saved.favourite ? <StarFilled aria-hidden /> : <StarOutlined aria-hidden />}
        onClick={() => void act(() => setFavourite(saved.id, !saved.favourite))}
      />
      <div className="sql-list-text">
        <button type="button" className="sql-open" onClick={onOpen}>
          {saved.name}
        </button>
        {saved.description ? <p>{saved.description}</p> : null}
        <p className="muted">
          {saved.folder ? `${saved.folder} · ` : ""}
          {saved.mine ? "yours" : saved.owner_name} · for {SHARED[saved.sharing]} · version {saved.version},{" "}
          <When at={saved.changed_at} />
          {saved.tags.map((tag) => (
            <span key={tag} className="sql-tag">
              {tag}
            </span>
          ))}
        </p>
      </div>
      <div className="sql-list-acts">
        <Button onClick={onOpen}>Open</Button>
        <Button onClick={onPlan}>Schedule</Button>
        <Button onClick={onHistory} aria-label={`Versions of ${saved.name}`}>
          Versions
        </Button>
        {saved.mine ? (
          <Popconfirm
            title={`Delete ${saved.name}?`}
            description="Its versions and schedules go with it."
            okText="Delete"
            onConfirm={() => void act(() => removeSaved(saved.id))}
          >
            <Button danger type="text">
              Delete
            </Button>
          </Popconfirm>
        ) : null}
      </div>
    </li>
  );
}
