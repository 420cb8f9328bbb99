import type { Schema } from "../../src/api/client";

/** Data of a small firm in Manila, as the API gives it. */
export const NOW = "2026-11-20T06:00:00Z";

export const me: Schema<"Me"> = {
  user: { id: "usr_1", name: "Mei Tan", email: "mei@luzon.example", role: "risk_analyst" },
  tenant: {
    id: "ten_1",
    name: "Luzon Savings Bank",
    slug: "luzon",
    base_currency: "PHP",
    timezone: "Asia/Manila",
    branding: { primary_color: "#0f5c5c", logo_text: "Luzon Savings" },
  },
  permissions: [
    "alerts:read",
    "alerts:resolve",
    "alerts:summarise",
    "pipeline:read",
    "quarantine:read",
    "receipts:read",
  ],
  second_factor_missing: false,
};

export function alertOf(n: number, change: Partial<Schema<"Alert">> = {}): Schema<"Alert"> {
  return {
    id: `alr_${n.toString(16).padStart(32, "0")}`,
    sequence: n,
    state: "open",
    action: n % 2 ? "block" : "review",
    event_id: `evt-${n}`,
    occurred_at: NOW,
    raised_at: new Date(Date.parse(NOW) + n * 1000).toISOString(),
    account_id: `acc-${n}`,
    customer_id: `cus-${n}`,
    card_last4: "1234",
    amount: { minor: 5_600_000 + n, currency: "PHP", text: `${(56000 + n / 100).toFixed(2)} PHP` },
    amount_usd: { minor: 100_000, currency: "USD", text: "1000.00 USD" },
    merchant_name: `Merchant ${n}`,
    merchant_city: "Makati",
    merchant_country: "PH",
    channel: "web",
    device_id: null,
    rules: [{ id: "high_amount", title: "High amount", action: "review" }],
    reasons: [`Reason of alert ${n}.`],
    score: 0.91,
    versions: { rule_pack: "p1", feature_set: "f1", model: "m1", contract: "1.0.0" },
    assignee_id: null,
    team_id: null,
    resolution: null,
    case_id: null,
    version: 1,
    ...change,
  };
}

export function detailOf(alert: Schema<"Alert">): Schema<"AlertDetail"> {
  return {
    ...alert,
    features: [
      {
        name: "account.count_10s",
        value: 5,
        unit: "payments",
        description: "Payments of the account in 10 seconds",
      },
      { name: "account.mean_30d", value: null, description: "Mean amount over 30 days", unit: "USD" },
    ],
    timeline: [
      {
        event_id: alert.event_id,
        occurred_at: NOW,
        amount: alert.amount,
        merchant_name: alert.merchant_name,
        merchant_country: "PH",
        channel: "web",
        action: alert.action,
        this: true,
      },
    ],
  };
}

export function summaryOf(open: number): Schema<"AlertSummary"> {
  const usd = (minor: number) => ({ minor, currency: "USD", text: `${(minor / 100).toFixed(2)} USD` });
  return {
    open,
    open_amount_usd: usd(open * 100_000),
    confirmed: 7,
    dismissed: 3,
    blocked_today: 5,
    protected_usd: usd(123_456),
    in_review_usd: usd(0),
    by_rule: [{ rule: "high_amount", title: "High amount", open, confirmed: 7, dismissed: 3 }],
    per_minute: [{ minute: NOW, alerts: 2 }],
    as_of: NOW,
  };
}

export const pipeline: Schema<"Pipeline"> = {
  as_of: NOW,
  contracts: [
    {
      contract: "transaction",
      received: 1000,
      accepted: 970,
      duplicate: 10,
      quarantined: 20,
      released: 0,
      accepted_per_s: 12.5,
      last_event_at: NOW,
    },
  ],
  throughput: [],
  latency: { p50_ms: 11, p95_ms: 40, p99_ms: 1200 },
  freshness: [{ table: "transaction", seconds: 2, rows: 970, newest: NOW, delay_s: 2 }],
  lag: { events: 3 },
};

export const noNotifications: Schema<"NotificationPage"> = {
  items: [],
  next: null,
  unread: { total: 0, info: 0, warning: 0, critical: 0 },
  as_of: NOW,
};

export const quarantined: Schema<"QuarantinedRecord"> = {
  id: "qua_1",
  receipt_id: "rct_1",
  contract: "transaction",
  line: 12,
  state: "open",
  errors: [
    {
      field: "amount",
      rule: "range",
      data_class: "internal",
      value: "-5",
      reason: "The amount must be greater than 0.",
    },
  ],
  remaining: null,
  raw: '{"amount":-5}',
  raw_bytes: 13,
  received_at: NOW,
  changed_at: null,
  act_id: null,
};
