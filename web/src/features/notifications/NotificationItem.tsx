import { CheckOutlined, ExclamationCircleFilled, InfoCircleOutlined, WarningFilled } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { counted } from "../../shared/numbers";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import type { Notification } from "./queries";
import "./notifications.css";

const SEVERITIES: Record<Notification["severity"], { icon: ReactNode; word: string; tone: string }> = {
  critical: { icon: <ExclamationCircleFilled aria-hidden />, word: "Critical", tone: "block" },
  warning: { icon: <WarningFilled aria-hidden />, word: "Warning", tone: "review" },
  info: { icon: <InfoCircleOutlined aria-hidden />, word: "Notice", tone: "plain" },
};

interface ItemProps {
  one: Notification;
  onOpen(): void;
  onRead(): void;
}

/** One notification: how serious, what, since when, and the way to what it is about. */
export function NotificationItem({ one, onOpen, onRead }: ItemProps) {
  const tag = one.settled_at ? { word: "Settled", tone: "quiet" } : SEVERITIES[one.severity];
  return (
    <li className={one.read ? "notification" : "notification notification-new"}>
      <a
        href={one.link}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen();
        }}
      >
        <span className="notification-line">
          <Tag {...tag} />
          <span className="muted">
            <When at={one.last_at} />
          </span>
          {one.count > 1 ? <span className="muted">{counted(one.count, "time")}</span> : null}
        </span>
        <span className="notification-title">
          {one.read ? null : <span className="sr-only">Unread: </span>}
          {one.title}
        </span>
        <span className="notification-text">{one.text}</span>
      </a>
      {one.read ? null : (
        <Button
          type="text"
          size="small"
          icon={<CheckOutlined aria-hidden />}
          aria-label={`Mark as read: ${one.title}`}
          title="Mark as read"
          onClick={onRead}
        />
      )}
    </li>
  );
}
