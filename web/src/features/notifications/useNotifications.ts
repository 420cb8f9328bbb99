import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { App } from "antd";
import { useEffect, useRef } from "react";
import { useLiveStream } from "../../shared/live/useLiveStream";
import { paths, safeReturn } from "../../shared/paths";
import { reasonOf } from "../../shared/ui/states";
import { NOTIFICATIONS, type Notification, readAll, readOne } from "./queries";

const NAMES = ["notification", "resync"];
/** What arrives within this time is fetched together. */
const GATHER_MS = 300;

/** Fetches notifications again when the stream says that some are new or changed. */
export function useNotificationStream(): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const refetch = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void client.invalidateQueries({ queryKey: [NOTIFICATIONS] }), GATHER_MS);
  };
  useLiveStream(paths.streams.notifications, NAMES, { onEvent: refetch, onGap: refetch });
  useEffect(() => () => clearTimeout(timer.current), []);
}

/** What one does with notifications: read one, read all, go where one leads. */
export function useNotificationActs() {
  const client = useQueryClient();
  const router = useRouter();
  const { message } = App.useApp();
  const act = (work: () => Promise<unknown>) =>
    work().then(
      () => client.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
      (error: unknown) => void message.error(`It is still unread. ${reasonOf(error)}`, 8),
    );
  return {
    read: (one: Notification) => act(() => readOne(one.id)),
    readAll: () => act(readAll),
    open: (one: Notification) => {
      if (!one.read) void act(() => readOne(one.id));
      router.history.push(safeReturn(one.link));
    },
  };
}
