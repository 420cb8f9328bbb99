import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Notification = Schema<"Notification">;
export type NotificationPage = Schema<"NotificationPage">;

const PAGE_SIZE = 50;
/** Everything that is known of notifications begins with this. */
export const NOTIFICATIONS = "notifications";

/** The latest notifications and how many are unread, for the bell. */
export const bellQuery = queryOptions({
  queryKey: [NOTIFICATIONS, "bell"],
  queryFn: ({ signal }): Promise<NotificationPage> =>
    answer(api.GET("/api/v1/notifications", { params: { query: { limit: 10 } }, signal })),
  // The stream says when something is new; this only covers a stream that cannot be opened.
  refetchInterval: 120_000,
});

export function notificationsQuery(unread: boolean) {
  return infiniteQueryOptions({
    queryKey: [NOTIFICATIONS, "list", unread],
    queryFn: ({ pageParam, signal }): Promise<NotificationPage> => {
      const query = { unread, limit: PAGE_SIZE, before: pageParam ?? undefined };
      return answer(api.GET("/api/v1/notifications", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: NotificationPage) => page.next,
  });
}

export function readOne(id: string): Promise<Schema<"Unread">> {
  return answer(
    api.POST("/api/v1/notifications/{notification_id}/read", { params: { path: { notification_id: id } } }),
  );
}

export function readAll(): Promise<Schema<"Unread">> {
  return answer(api.POST("/api/v1/notifications/read-all", {}));
}
