import { useQueryClient } from "@tanstack/react-query";
import { App, Input } from "antd";
import { useState } from "react";
import { counted } from "../../shared/numbers";
import { Dialog } from "../../shared/ui/Dialog";
import { reasonOf } from "../../shared/ui/states";
import { backfill, JOBS, type Job } from "./queries";
import { jobWord } from "./words";

const DAY_MS = 86_400_000;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

/** Asks for which past days a job should be done, and says how many runs that makes. */
export function BackfillDialog({ job, onClose }: { job: Job; onClose(): void }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const today = dayOf(Date.now());
  const [first, setFirst] = useState(dayOf(Date.now() - 7 * DAY_MS));
  const [last, setLast] = useState(dayOf(Date.now() - DAY_MS));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const days = Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const asked = await backfill(job.name, first, last);
      message.success(`${counted(asked.items.length, "run")} asked for, the earliest day first.`);
      void client.invalidateQueries({ queryKey: [JOBS] });
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      width={440}
      title={`${jobWord(job.name)} for past days`}
      okText={days > 0 ? `Ask for ${counted(days, "run")}` : "Ask for runs"}
      okButtonProps={{ loading: busy, disabled: !(days > 0) }}
      onOk={() => void submit()}
      onCancel={busy ? undefined : onClose}
      destroyOnHidden
    >
      <div className="job-days">
        <label htmlFor="job-first">
          First day
          <Input
            id="job-first"
            type="date"
            max={today}
            value={first}
            onChange={(event) => setFirst(event.target.value)}
          />
        </label>
        <label htmlFor="job-last">
          Last day
          <Input
            id="job-last"
            type="date"
            max={today}
            value={last}
            onChange={(event) => setLast(event.target.value)}
          />
        </label>
      </div>
      <p className="hint">Each day is a run of its own; they are done one after the other.</p>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Dialog>
  );
}
