import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  PauseCircleOutlined,
  PlayCircleFilled,
  StopOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import { count, duration } from "../../shared/numbers";
import { Tag } from "../../shared/ui/tags";
import type { Run, RunState } from "./queries";

const STATES: Record<RunState, { icon: ReactNode; word: string; tone: string }> = {
  waiting: { icon: <ClockCircleOutlined aria-hidden />, word: "Waiting", tone: "plain" },
  queued: { icon: <ClockCircleOutlined aria-hidden />, word: "Queued", tone: "plain" },
  running: { icon: <PlayCircleFilled aria-hidden />, word: "Running", tone: "review" },
  succeeded: { icon: <CheckCircleFilled aria-hidden />, word: "Done", tone: "approve" },
  failed: { icon: <CloseCircleFilled aria-hidden />, word: "Failed", tone: "block" },
  cancelled: { icon: <StopOutlined aria-hidden />, word: "Stopped", tone: "quiet" },
  skipped: { icon: <PauseCircleOutlined aria-hidden />, word: "Skipped", tone: "quiet" },
};

export const CAUSES: Record<Run["cause"], string> = {
  schedule: "on schedule",
  catch_up: "caught up",
  by_hand: "by hand",
  retry: "repeated",
  backfill: "for a past day",
  request: "asked for",
};

export const stateWord = (state: RunState) => STATES[state].word;

export function RunTag({ run }: { run: Pick<Run, "state" | "stopping"> }) {
  return run.stopping ? <Tag word="Stopping" tone="review" /> : <Tag {...STATES[run.state]} />;
}

/** "compact_lake" as people read it: "Compact lake". */
export function jobWord(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What came of a run, in a line. */
export function outcome(run: Run): string {
  if (run.error) return run.error;
  if (run.state === "running" && run.done !== null) {
    return run.total ? `${count(run.done)} of ${count(run.total)}` : `${count(run.done)} so far`;
  }
  const counts = Object.entries(run.counts).filter(([, value]) => value !== 0);
  if (counts.length > 0) {
    return counts.map(([name, value]) => `${count(value)} ${countWord(name, value)}`).join(", ");
  }
  return run.state === "succeeded" && !run.whole ? "Nothing to do" : "";
}

/** "files_before" as people read it; one of something has no s. */
function countWord(name: string, value: number): string {
  const words = name.replaceAll("_", " ");
  return value === 1 ? words.replace(/([^s])s$/, "$1") : words;
}

export const tookText = (run: Pick<Run, "duration_s">) => duration(run.duration_s);
