import {
  AudioMutedOutlined,
  CheckCircleFilled,
  ClockCircleOutlined,
  ExclamationCircleFilled,
  EyeOutlined,
  StopOutlined,
  WarningFilled,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import { duration, measure } from "../../shared/numbers";
import { Tag } from "../../shared/ui/tags";
import type { Incident, Monitor, MonitorKind, MonitorState } from "./queries";

type Look = { icon: ReactNode; word: string; tone: string };

export const KINDS: Record<MonitorKind, { word: string; about: string }> = {
  freshness: { word: "Freshness", about: "How long no record has come." },
  validity: { word: "Refused", about: "The share of records that break their contract." },
  duplicates: { word: "Duplicates", about: "The share of records that have come before." },
  completeness: { word: "Empty", about: "The share of records in which this field is empty." },
  distribution: {
    word: "Distribution",
    about: "How far the values are from those that were usual: the population stability index.",
  },
  volume: { word: "Volume", about: "Records received per second." },
  timeliness: { word: "Delay", about: "The usual time from what happened to its arrival." },
};

const STATES: Record<MonitorState, Look> = {
  learning: { icon: <ClockCircleOutlined aria-hidden />, word: "Learning", tone: "plain" },
  usual: { icon: <CheckCircleFilled aria-hidden />, word: "As usual", tone: "approve" },
  unusual: { icon: <WarningFilled aria-hidden />, word: "Unusual", tone: "block" },
  silent: { icon: <StopOutlined aria-hidden />, word: "Too thin", tone: "quiet" },
  muted: { icon: <AudioMutedOutlined aria-hidden />, word: "Muted", tone: "quiet" },
  off: { icon: <StopOutlined aria-hidden />, word: "Off", tone: "quiet" },
};

const INCIDENTS: Record<Incident["state"], Look> = {
  open: { icon: <WarningFilled aria-hidden />, word: "Warning", tone: "review" },
  acknowledged: { icon: <EyeOutlined aria-hidden />, word: "Looked into", tone: "plain" },
  settled: { icon: <CheckCircleFilled aria-hidden />, word: "Settled", tone: "quiet" },
  resolved: { icon: <CheckCircleFilled aria-hidden />, word: "Closed", tone: "quiet" },
  expected: { icon: <CheckCircleFilled aria-hidden />, word: "Normal now", tone: "quiet" },
};
const CRITICAL: Look = { icon: <ExclamationCircleFilled aria-hidden />, word: "Critical", tone: "block" };

export const MonitorTag = ({ state }: { state: MonitorState }) => <Tag {...STATES[state]} />;

export function IncidentTag({ incident }: { incident: Incident }) {
  const grave = incident.state === "open" && incident.severity === "critical";
  return <Tag {...(grave ? CRITICAL : INCIDENTS[incident.state])} />;
}

export const stateWord = (state: string) => STATES[state as MonitorState]?.word.toLowerCase() ?? state;

export function monitorName(one: Pick<Monitor, "kind" | "field">): string {
  return one.field ? `${KINDS[one.kind].word}: ${one.field}` : KINDS[one.kind].word;
}

/** "99.98 %", with the digits in which good and bad differ. */
export function shareText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const percent = value * 100;
  if (percent === 100 || percent === 0) return `${percent} %`;
  return `${percent > 99.9 ? percent.toFixed(3) : percent > 99 || percent < 10 ? percent.toFixed(2) : percent.toFixed(1)} %`;
}

/** A value in the unit of its kind. */
export function valueText(kind: MonitorKind, value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (kind === "volume") return `${measure(round(value))} /s`;
  if (kind === "freshness" || kind === "timeliness")
    return `${value < 0 ? "−" : ""}${duration(Math.abs(value))}`;
  if (kind === "distribution") return measure(round(value));
  return shareText(value);
}

/** What is usual, in words. */
export function usualText(one: Pick<Monitor, "kind" | "low" | "high">): string {
  if (one.high === null || one.high === undefined) return "not known yet";
  const high = valueText(one.kind, one.high);
  const twoSided = one.kind === "volume" || one.kind === "timeliness";
  return twoSided ? `${valueText(one.kind, one.low)} to ${high}` : `at most ${high}`;
}

const round = (value: number) => Number(value.toPrecision(3));

/** The tone of a score: a thousandth of refused records is no news, a hundredth is. */
export function scoreTone(score: number | null): string {
  if (score === null) return "quality-none";
  return score >= 0.999 ? "quality-good" : score >= 0.99 ? "quality-fair" : "quality-bad";
}
