import type { Schema } from "../../api/client";
import { ActionTag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import { channelWord } from "./words";

type TimelineEvent = Schema<"TimelineEvent">;

/** What the account did around the alert, newest first, each amount with a bar to compare it. */
export function AlertTimeline({ events }: { events: readonly TimelineEvent[] }) {
  const ordered = [...events].sort((a, b) => b.occurred_at.localeCompare(a.occurred_at));
  const highest = Math.max(1, ...ordered.map((event) => Math.abs(event.amount.minor)));
  // Bars of different currencies would compare nothing.
  const comparable = new Set(ordered.map((event) => event.amount.currency)).size === 1;
  return (
    <section aria-label="Timeline of the account">
      <h3>The account around it</h3>
      {ordered.length === 0 ? (
        <p className="muted">
          The lake holds no other transaction of this account yet; new ones arrive there within seconds.
        </p>
      ) : (
        <ol className="timeline">
          {ordered.map((event) => (
            <li key={event.event_id} className={event.this ? "timeline-this" : ""} aria-current={event.this}>
              <span className="muted nowrap">
                <When at={event.occurred_at} />
              </span>
              <span className="timeline-where">
                <span className="cut">
                  {event.merchant_name ?? channelWord(event.channel)}
                  {event.merchant_country ? <span className="muted"> {event.merchant_country}</span> : null}
                </span>
                {event.this ? <span className="timeline-mark">this transaction</span> : null}
                {!event.this && event.action && event.action !== "approve" ? (
                  <ActionTag action={event.action} />
                ) : null}
              </span>
              <span className="timeline-amount">
                <Amount money={event.amount} />
                {comparable ? (
                  <span className="timeline-bar" aria-hidden>
                    <span
                      style={{ width: `${Math.max(1, (Math.abs(event.amount.minor) / highest) * 100)}%` }}
                    />
                  </span>
                ) : null}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
