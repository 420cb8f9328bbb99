import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Progress } from "antd";
import { useEffect, useRef } from "react";
import { count } from "../../shared/numbers";
import { NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { actsQuery } from "./queries";
import { ACT_STATES, actOutcome, actTitle, percentOf } from "./words";

/** What was done lately and what is under way; a click shows one of them. */
export function Acts({ onOpen }: { onOpen(act: string): void }) {
  const client = useQueryClient();
  const query = useQuery(actsQuery);
  const acts = query.data?.items ?? [];
  const running = acts.filter((act) => act.state === "running").length;
  const before = useRef(0);
  useEffect(() => {
    if (before.current > running) void client.invalidateQueries({ queryKey: ["quarantine"] });
    before.current = running;
  }, [running, client]);
  let body = <NotYet query={query} what="What was done" rows={2} height={40} />;
  if (query.data && acts.length === 0) return null;
  else if (query.data)
    body = (
      <ul className="acts">
        {acts.map((act) => (
          <li key={act.id}>
            <button type="button" className="act" onClick={() => onOpen(act.id)}>
              <span className="act-title">{actTitle(act)}</span>
              <Tag {...ACT_STATES[act.state]} />
              {act.state === "running" ? (
                <Progress percent={percentOf(act)} size="small" aria-label={`${count(act.done)} looked at`} />
              ) : (
                <span>{actOutcome(act)}</span>
              )}
              <span className="muted act-who">
                {act.actor_name}, <When at={act.created_at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    );
  return (
    <section className="part" aria-label="What was done">
      <h2>What was done</h2>
      {body}
    </section>
  );
}
