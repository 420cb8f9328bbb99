import { useQuery } from "@tanstack/react-query";
import { Segmented } from "antd";
import { useState } from "react";
import type { Schema } from "../../api/client";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { ActionTag, Tag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import { timelineQuery } from "./queries";

const KINDS: Record<string, string> = {
  transaction: "Payment",
  order: "Order",
  activity: "Activity",
  customer_profile: "Profile",
};

/** What the customer did around the alerts, over all contracts, the latest first. */
export function CaseTimeline({ id, alerts }: { id: string; alerts: readonly Schema<"Alert">[] }) {
  const query = useQuery(timelineQuery(id));
  const [kind, setKind] = useState<string>("all");
  if (!query.data) return <NotYet query={query} what="The timeline" rows={8} height={34} />;
  const alarmed = new Set(alerts.map((alert) => alert.event_id));
  const shown = query.data.items.filter((item) => kind === "all" || item.contract === kind);
  return (
    <section aria-label="Timeline">
      <div className="case-bar">
        <Segmented
          aria-label="What is shown"
          value={kind}
          onChange={setKind}
          options={[
            { value: "all", label: "All" },
            ...Object.entries(KINDS).map(([value, label]) => ({ value, label })),
          ]}
        />
        <span className="muted">From 30 days before to 2 days after the last alert</span>
      </div>
      {shown.length === 0 ? (
        <EmptyState title="Nothing of this kind">
          The lake holds nothing of this customer from these days. What is new arrives there within seconds.
        </EmptyState>
      ) : (
        <ol className="case-timeline">
          {shown.map((item) => (
            <li
              key={`${item.contract} ${item.event_id}`}
              className={alarmed.has(item.event_id) ? "case-alarmed" : ""}
            >
              <span className="muted nowrap">
                <When at={item.occurred_at} />
              </span>
              <Tag word={KINDS[item.contract] ?? item.contract} tone="plain" />
              <span className="cut">
                {worded(item.title)} <span className="muted">{item.place}</span>
              </span>
              <span className="push case-timeline-end">
                {item.action && item.action !== "approve" ? <ActionTag action={item.action} /> : null}
                {item.amount ? <Amount money={item.amount} /> : null}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** What a record calls itself in words: "page_view /shop" is "Page view /shop". Names of products stay as they are. */
function worded(title: string): string {
  return title.replace(/^[a-z]+(_[a-z]+)*(?=\s|$)/, (code) => {
    const words = code.replaceAll("_", " ");
    return words.charAt(0).toUpperCase() + words.slice(1);
  });
}
