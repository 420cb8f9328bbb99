import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Progress } from "antd";
import { useEffect, useRef } from "react";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { reasonOf } from "../../shared/ui/states";
import { type Act, actsQuery, stopAct } from "./queries";

/** What is under way now: how far, and a way to stop it. */
export function Acts() {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { data } = useQuery(actsQuery);
  const running = data?.items.filter((act) => act.state === "running") ?? [];
  const before = useRef(0);
  useEffect(() => {
    if (before.current > running.length) void client.invalidateQueries({ queryKey: ["quarantine"] });
    before.current = running.length;
  }, [running.length, client]);
  if (running.length === 0) return null;
  const stop = async (act: Act) => {
    try {
      await stopAct(act.id);
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  return (
    <section className="part" aria-label="Under way">
      {running.map((act) => (
        <div key={act.id} className="act">
          <span>
            {act.kind} by {act.actor_name}: {count(act.done)} of {count(act.matched)}
          </span>
          <Progress percent={Math.floor((100 * act.done) / Math.max(1, act.matched))} />
          {may(permission.editQuarantine) ? <Button onClick={() => void stop(act)}>Stop</Button> : null}
        </div>
      ))}
    </section>
  );
}
