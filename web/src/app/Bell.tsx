import { BellOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Badge, Button, Popover } from "antd";
import { useState } from "react";
import { useAlertStream } from "../features/fraud/alertStream";
import { newestQuery } from "../features/fraud/queries";
import { counted } from "../shared/numbers";
import { paths } from "../shared/paths";
import { useSession } from "../shared/session";
import { recall, remember } from "../shared/storage";
import { ActionTag } from "../shared/ui/tags";
import { Amount, When } from "../shared/ui/values";

const KEPT = 100;
const LISTED = 8;

/** The alerts raised since one last looked. */
export function Bell() {
  const { me } = useSession();
  const client = useQueryClient();
  const key = `finer.bell.${me.user.id}`;
  const [seen, setSeen] = useState(() => recall<string>(key, ""));
  const [open, setOpen] = useState(false);
  const { data, isError } = useQuery(newestQuery);
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
  const fresh = items.filter((alert) => alert.raised_at > seen).length;

  const change = (next: boolean) => {
    setOpen(next);
    const newest = items[0]?.raised_at;
    // Looked at once it is closed again: while it is open, what is new stays marked.
    if (next || !newest) return;
    setSeen(newest);
    remember(key, newest);
  };
  const content = (
    <div className="bell">
      {isError ? <p className="muted">The alerts could not be loaded.</p> : null}
      {!isError && items.length === 0 ? <p className="muted">There is no open alert.</p> : null}
      <ul aria-label="Newest alerts">
        {items.slice(0, LISTED).map((alert) => (
          <li key={alert.id} className={alert.raised_at > seen ? "bell-new" : ""}>
            <Link to={paths.alert} params={{ id: alert.id }} onClick={() => change(false)}>
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
      <Link to={paths.fraud} onClick={() => change(false)}>
        All open alerts
      </Link>
    </div>
  );
  return (
    <Popover content={content} trigger="click" placement="bottomRight" open={open} onOpenChange={change}>
      <Button
        type="text"
        aria-expanded={open}
        aria-label={fresh > 0 ? `Notifications: ${counted(fresh, "new alert")}` : "Notifications"}
        icon={
          <Badge count={fresh} size="small" overflowCount={99}>
            <BellOutlined aria-hidden />
          </Badge>
        }
      />
    </Popover>
  );
}
