import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Segmented } from "antd";
import { count, counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { AsOf } from "../../shared/ui/values";
import { NotificationItem } from "./NotificationItem";
import { notificationsQuery } from "./queries";
import { useNotificationActs } from "./useNotifications";

/** Everything that Finer has told this person in the last 90 days. */
export function NotificationsPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const unread = search.show === "unread";
  const navigate = useNavigate();
  const query = useInfiniteQuery(notificationsQuery(unread));
  const acts = useNotificationActs();
  const first = query.data?.pages[0];
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const show = (next: boolean) =>
    void navigate({ to: paths.notifications, search: next ? { show: "unread" } : {}, replace: true });

  let body = <NotYet query={query} what="The notifications" rows={6} height={72} />;
  if (query.data && rows.length === 0) {
    body = (
      <EmptyState
        title={unread ? "Nothing is unread" : "Nothing has happened yet"}
        action={unread ? <Button onClick={() => show(false)}>Show what was read</Button> : undefined}
      >
        What needs your attention is told here and by the bell above, and kept for 90 days.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <>
        <ul aria-label="Notifications">
          {rows.map((one) => (
            <NotificationItem
              key={one.id}
              one={one}
              onOpen={() => acts.open(one)}
              onRead={() => void acts.read(one)}
            />
          ))}
        </ul>
        <div className="notification-foot muted">
          {query.hasNextPage ? (
            <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchNextPageError ? "Older ones could not be loaded. Try again" : "Show older ones"}
            </Button>
          ) : (
            `All ${counted(rows.length, "notification")} of the last 90 days`
          )}
        </div>
      </>
    );
  }
  return (
    <Page title="Notifications" aside={<AsOf at={first?.as_of} />}>
      <section className="part notification-page" aria-label="Notifications">
        <div className="filters">
          <Segmented<string>
            aria-label="Which"
            value={unread ? "unread" : "all"}
            onChange={(value) => show(value === "unread")}
            options={[
              { value: "all", label: "All" },
              { value: "unread", label: first ? `Unread (${count(first.unread.total)})` : "Unread" },
            ]}
          />
          <Button className="push" disabled={!first?.unread.total} onClick={() => void acts.readAll()}>
            Mark all as read
          </Button>
        </div>
        {body}
      </section>
    </Page>
  );
}
