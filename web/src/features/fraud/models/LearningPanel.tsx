import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Progress } from "antd";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { reasonOf } from "../../../shared/ui/states";
import { When } from "../../../shared/ui/values";
import { isLearning, type Learning, stopLearning } from "./queries";

/** How far the learning is that somebody asked for, or why it gave no model. */
export function LearningPanel({ learning }: { learning: Learning }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const running = isLearning(learning);
  const last = learning.lines.at(-1);
  if (!running && learning.state === "succeeded" && !last?.startsWith("The lake")) return null;
  const stop = async () => {
    try {
      await stopLearning();
      await client.invalidateQueries({ queryKey: ["models"] });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  return (
    <section aria-label="Learning" className="models-box models-learning">
      <p>
        <strong>{learning.name || "A model"}</strong>
        <span className="muted">
          {" "}
          asked for by {learning.asked_by}, <When at={learning.asked_at} />
        </span>
      </p>
      {running ? (
        <>
          <Progress
            percent={learning.total ? Math.round((100 * (learning.done ?? 0)) / learning.total) : 0}
            status="active"
            aria-label="Learning"
          />
          <p className="muted">{last ?? "It begins in a moment."}</p>
          {may(permission.writeModels) ? (
            <Button size="small" disabled={learning.stopping} onClick={() => void stop()}>
              {learning.stopping ? "Stopping …" : "Stop"}
            </Button>
          ) : null}
        </>
      ) : (
        <p role="alert" className={learning.state === "failed" ? "problem" : "muted"}>
          {learning.state === "cancelled" ? "It was stopped, and left no model." : learning.error || last}
        </p>
      )}
    </section>
  );
}
