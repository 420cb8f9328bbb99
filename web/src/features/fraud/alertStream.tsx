import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import type { LiveState } from "../../shared/live/stream";
import { useLiveStream } from "../../shared/live/useLiveStream";
import { paths } from "../../shared/paths";
import type { Alert } from "./filter";
import { alertQuery, type Summary } from "./queries";

export interface AlertListener {
  onAlerts?(alerts: readonly Alert[]): void;
  onSummary?(summary: Summary): void;
  /** Something may have been missed: fetch again. */
  onGap?(): void;
}

interface AlertStream {
  state: LiveState;
  listeners: Set<AlertListener>;
}

const NAMES = ["alert", "summary", "resync"];
/** Alerts that arrive within this time are shown together: a burst must not redraw the page for each. */
const GATHER_MS = 200;
const DOUBT_MS = 8000;

const StreamContext = createContext<AlertStream | null>(null);

interface ProviderProps {
  /** Whether the person may see alerts; for others there is no connection. */
  open: boolean;
  children: ReactNode;
}

/** Holds the one connection for alerts that list, tiles and bell share. */
export function AlertStreamProvider({ open, children }: ProviderProps) {
  const client = useQueryClient();
  const listeners = useRef(new Set<AlertListener>()).current;
  const gathered = useRef<Alert[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const flush = () => {
    const alerts = gathered.current;
    gathered.current = [];
    for (const alert of alerts) {
      const { queryKey } = alertQuery(alert.id);
      client.setQueryData(queryKey, (old) =>
        old && old.version <= alert.version ? { ...old, ...alert } : old,
      );
    }
    for (const listener of listeners) listener.onAlerts?.(alerts);
  };
  const gap = () => {
    for (const listener of listeners) listener.onGap?.();
  };
  const state = useLiveStream(open ? paths.streams.alerts : null, NAMES, {
    onGap: gap,
    onEvent(name, data) {
      if (name === "resync") gap();
      else if (name === "summary") for (const listener of listeners) listener.onSummary?.(data as Summary);
      else {
        if (gathered.current.length === 0) timer.current = setTimeout(flush, GATHER_MS);
        gathered.current.push(data as Alert);
      }
    },
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  // What was raised between the first fetch and the opening of the stream is in neither: fetch once more.
  const opened = useRef(false);
  const latestGap = useRef(gap);
  latestGap.current = gap;
  useEffect(() => {
    if (state !== "live" || opened.current) return;
    opened.current = true;
    latestGap.current();
  }, [state]);

  // A stream does not say why it was refused. When it stays away, asking who is signed in tells a lost session.
  useEffect(() => {
    if (state !== "reconnecting") return;
    const doubt = setTimeout(() => void client.invalidateQueries({ queryKey: ["me"] }), DOUBT_MS);
    return () => clearTimeout(doubt);
  }, [state, client]);

  const stream = useMemo(() => ({ state, listeners }), [state, listeners]);
  return <StreamContext value={stream}>{children}</StreamContext>;
}

/** Hears the stream while mounted, and knows how it is. */
export function useAlertStream(listener: AlertListener): LiveState {
  const stream = useContext(StreamContext);
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  const listeners = stream?.listeners;
  useEffect(() => {
    if (!listeners) return;
    const mine: AlertListener = {
      onAlerts: (alerts) => latest.current.onAlerts?.(alerts),
      onSummary: (summary) => latest.current.onSummary?.(summary),
      onGap: () => latest.current.onGap?.(),
    };
    listeners.add(mine);
    return () => {
      listeners.delete(mine);
    };
  }, [listeners]);
  return stream?.state ?? "stopped";
}
