import { BellOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Badge, Button, Popover } from "antd";
import { useState } from "react";
import { useAlertStream } from "../features/fraud/alertStream";
import { newestQuery } from "../features/fraud/queries";
import { NotificationItem } from "../features/notifications/NotificationItem";
import { bellQuery } from "../features/notifications/queries";
import { useNotificationActs, useNotificationStream } from "../features/notifications/useNotifications";
import { counted } from "../shared/numbers";
import { paths } from "../shared/paths";
import { permission } from "../shared/permissions";
import { useSession } from "../shared/session";
import { recall, remember } from "../shared/storage";
import { ActionTag } from "../shared/ui/tags";
import { Amount, When } from "../shared/ui/values";

const KEPT = 100;
const LISTED = 5;

/** What Finer has told this person, and for those who work on alerts the ones raised since they last looked. */
export function Bell() {
  const { may } = useSession();
  const mayAlerts = may(permission.readAlerts);
  const alerts = useNewAlerts(mayAlerts);
  const [open, setOpen] = useState(false);
  useNotificationStream();
  const told = useQuery(bellQuery);
  const unread = told.data?.unread.total ?? 0;

  const change = (next: boolean) => {
    setOpen(next);
    // Looked at once it is closed again: while it is open, what is new stays marked.
    if (!next) alerts.look();
  };
  const words = [
    ...(alerts.fresh > 0 ? [counted(alerts.fresh, "new alert")] : []),
    ...(unread > 0 ? [`${unread} unread`] : []),
  ];
  const content = (
    <div className="bell">
      <Told onClose={() => change(false)} />
      {mayAlerts ? <NewAlerts alerts={alerts} onClose={() => change(false)} /> : null}
    </div>
  );
  return (
    <Popover content={content} trigger="click" placement="bottomRight" open={open} onOpenChange={change}>
      <Button
        type="text"
        className="bell-button"
        aria-expanded={open}
        aria-label={words.length > 0 ? `Notifications: ${words.join(", ")}` : "Notifications"}
        icon={
          <Badge className="bell-count" count={alerts.fresh + unread} size="small" overflowCount={99}>
            <BellOutlined aria-hidden />
          </Badge>
        }
      />
    </Popover>
  );
}

function Told({ onClose }: { onClose(): void }) {
  const { data, isError } = useQuery(bellQuery);
  const acts = useNotificationActs();
  return (
    <section aria-label="Notifications">
      <header className="bell-head">
        <h2>Notifications</h2>
        {data?.unread.total ? (
          <Button size="small" type="link" onClick={() => void acts.readAll()}>
            Mark all as read
          </Button>
        ) : null}
      </header>
      {isError && !data ? <p className="muted bell-none">The notifications could not be loaded.</p> : null}
      {data?.items.length === 0 ? <p className="muted bell-none">Nothing needs your attention.</p> : null}
      <ul aria-label="Latest notifications">
        {data?.items.slice(0, LISTED).map((one) => (
          <NotificationItem
            key={one.id}
            one={one}
            onRead={() => void acts.read(one)}
            onOpen={() => {
              onClose();
              acts.open(one);
            }}
          />
        ))}
      </ul>
      <Link to={paths.notifications} className="bell-all" onClick={onClose}>
        All notifications
      </Link>
    </section>
  );
}

type AlertNews = ReturnType<typeof useNewAlerts>;

function NewAlerts({ alerts, onClose }: { alerts: AlertNews; onClose(): void }) {
  return (
    <section aria-label="Alerts">
      <header className="bell-head">
        <h2>Alerts</h2>
      </header>
      {alerts.failed ? <p className="muted bell-none">The alerts could not be loaded.</p> : null}
      {!alerts.failed && alerts.items.length === 0 ? (
        <p className="muted bell-none">There is no open alert.</p>
      ) : null}
      <ul aria-label="Newest alerts">
        {alerts.items.slice(0, LISTED).map((alert) => (
          <li key={alert.id} className={alert.raised_at > alerts.seen ? "bell-alert bell-new" : "bell-alert"}>
            <Link to={paths.alert} params={{ id: alert.id }} onClick={onClose}>
              <span className="bell-line">
                <ActionTag action={alert.action} />
                <span className="muted">
                  <When at={alert.raised_at} />
                </span>
                <span className="push">
                  <Amount money={alert.amount} />
                </span>
              </span>
              <span className="bell-why">
                {alert.reasons[0] ?? alert.rules[0]?.title ?? "Suspicious transaction"}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <Link to={paths.fraud} className="bell-all" onClick={onClose}>
        All open alerts
      </Link>
    </section>
  );
}

/** The newest open alerts, and how many came since this person last looked. */
function useNewAlerts(enabled: boolean) {
  const { me } = useSession();
  const client = useQueryClient();
  const key = `finer.bell.${me.user.id}`;
  const [seen, setSeen] = useState(() => recall<string>(key, ""));
  const { data, isError } = useQuery({ ...newestQuery, enabled });
  useAlertStream({
    onAlerts: (alerts) =>
      client.setQueryData(newestQuery.queryKey, (old) => {
        if (!old) return old;
        const ids = new Set(alerts.map((alert) => alert.id));
        const opened = alerts.filter((alert) => alert.state === "open");
        const items = [...opened, ...old.items.filter((alert) => !ids.has(alert.id))];
        items.sort((a, b) => b.raised_at.localeCompare(a.raised_at));
        return { ...old, items: items.slice(0, KEPT) };
      }),
    onGap: () => void client.invalidateQueries({ queryKey: newestQuery.queryKey }),
  });
  const items = data?.items ?? [];
  const look = () => {
    const newest = items[0]?.raised_at;
    if (!newest) return;
    setSeen(newest);
    remember(key, newest);
  };
  return { items, seen, look, failed: isError, fresh: items.filter((one) => one.raised_at > seen).length };
}
