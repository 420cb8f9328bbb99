import type { Kind, Source } from "./queries";

/** The kinds of sources, in the words of people who look for one. */
export const KINDS: Record<Kind, { title: string; about: string }> = {
  folder: { title: "Folder", about: "Files that appear in a folder of the server" },
  objects: { title: "Object storage", about: "Objects below a prefix of an S3-compatible bucket" },
  kafka: { title: "Kafka topic", about: "Messages: JSON, lines of JSON, or Arrow" },
  postgres: { title: "PostgreSQL table", about: "New and changed rows of a table or view" },
  stripe: { title: "Stripe", about: "Webhooks about charges, refunds and disputes" },
  plaid: { title: "Plaid", about: "Transactions of bank accounts that customers linked" },
};

export const STATES: Record<Source["state"], { word: string; tone: string }> = {
  running: { word: "Running", tone: "approve" },
  paused: { word: "Paused", tone: "quiet" },
  failing: { word: "Failing", tone: "review" },
  stopped: { word: "Stopped", tone: "block" },
};

export const ITEM_STATES: Record<string, { word: string; tone: string }> = {
  reading: { word: "Reading", tone: "plain" },
  done: { word: "Taken", tone: "approve" },
  same: { word: "Known content", tone: "quiet" },
  failed: { word: "Unreadable", tone: "block" },
};

/** One field of the form of a kind. Text unless it says otherwise; `secret` is a credential. */
export interface FieldSpec {
  name: string;
  label: string;
  hint?: string;
  placeholder?: string;
  initial?: string;
  optional?: boolean;
  type?: "text" | "number" | "list" | "lines";
  choices?: readonly string[];
  secret?: boolean;
}

const USER = { name: "user", secret: true };
const SECRET = { name: "secret", secret: true };
const CA: FieldSpec = {
  name: "ca",
  label: "Certificate authority (PEM)",
  hint: "Only when the other side uses one of its own.",
  optional: true,
  type: "lines",
  secret: true,
};

export const FIELDS: Record<Kind, readonly FieldSpec[]> = {
  folder: [
    {
      name: "folder",
      label: "Folder",
      placeholder: "/srv/drop/acme",
      hint: "Below a folder that the operator opened to the firm.",
    },
    { name: "pattern", label: "Files", initial: "*", hint: "By name, as a shell would: *.csv" },
    {
      name: "settle_s",
      label: "Seconds without a change until a file is whole",
      initial: "5",
      type: "number",
    },
  ],
  objects: [
    { name: "endpoint", label: "Endpoint", placeholder: "https://s3.eu-west-1.amazonaws.com" },
    { name: "bucket", label: "Bucket" },
    { name: "prefix", label: "Prefix", optional: true },
    { name: "region", label: "Region", initial: "us-east-1" },
    { name: "pattern", label: "Objects", initial: "*", hint: "By name: *.parquet" },
    { ...USER, label: "Access key id" },
    { ...SECRET, label: "Secret access key" },
  ],
  kafka: [
    { name: "brokers", label: "Brokers", placeholder: "broker1.example:9093, broker2.example:9093" },
    { name: "topic", label: "Topic" },
    { name: "group", label: "Consumer group", initial: "finer" },
    { name: "format", label: "Messages hold", initial: "json", choices: ["json", "ndjson", "arrow"] },
    { name: "begin", label: "Begin at", initial: "earliest", choices: ["earliest", "latest"] },
    {
      name: "security",
      label: "Security",
      initial: "sasl_ssl",
      choices: ["sasl_ssl", "ssl", "sasl_plaintext", "plaintext"],
      hint: "Without TLS only to brokers that the operator listed.",
    },
    {
      name: "mechanism",
      label: "Mechanism",
      initial: "SCRAM-SHA-512",
      choices: ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"],
    },
    { ...USER, label: "User", optional: true },
    { ...SECRET, label: "Password", optional: true },
    CA,
  ],
  postgres: [
    { name: "host", label: "Host", placeholder: "db.example" },
    { name: "port", label: "Port", initial: "5432", type: "number" },
    { name: "database", label: "Database" },
    { name: "user", label: "User", hint: "It needs select on the table and nothing else." },
    { ...SECRET, label: "Password" },
    { name: "schema", label: "Schema", initial: "public" },
    { name: "table", label: "Table or view" },
    {
      name: "cursor",
      label: "Cursor column",
      placeholder: "changed_at",
      hint: "A time or a number that only grows.",
    },
    {
      name: "key",
      label: "Key columns",
      placeholder: "id",
      type: "list",
      hint: "They tell rows of one cursor value apart.",
    },
    {
      name: "overlap",
      label: "Look back for late commits",
      initial: "600",
      type: "number",
      hint: "Seconds, or units of a number.",
    },
    { name: "tls", label: "TLS", initial: "verify-full", choices: ["verify-full", "disable"] },
    CA,
  ],
  stripe: [
    {
      name: "api_version",
      label: "API version",
      placeholder: "2025-09-30.clover",
      hint: "To which the endpoint at Stripe is pinned.",
    },
    {
      name: "payments",
      label: "Payments are told by",
      initial: "charge",
      choices: ["charge", "payment_intent"],
    },
    { name: "customer", label: "Customer number", initial: "customer", hint: "customer, or metadata.<key>" },
    { ...SECRET, label: "Signing secret", placeholder: "whsec_..." },
    {
      name: "second_secret",
      label: "Signing secret before it",
      optional: true,
      secret: true,
      hint: "While Stripe still signs with both.",
    },
  ],
  plaid: [
    { name: "address", label: "Address", initial: "https://production.plaid.com" },
    { name: "every_s", label: "Ask every (seconds)", initial: "300", type: "number" },
    { ...USER, label: "Client id" },
    { ...SECRET, label: "Secret" },
    {
      name: "items",
      label: "Links",
      type: "lines",
      secret: true,
      placeholder: "C-1001 access-production-...",
      hint: "One per line: customer number, blank, access token.",
    },
  ],
};

/** What a beginning means for a backfill of this kind; null when there is none. */
export const BACKFILLS: Record<Kind, { label: string; hint: string } | null> = {
  folder: { label: "Files taken since", hint: "A moment such as 2026-11-01T00:00:00Z; empty for all files." },
  objects: {
    label: "Objects taken since",
    hint: "A moment such as 2026-11-01T00:00:00Z; empty for all objects.",
  },
  kafka: { label: "Messages since", hint: "A moment such as 2026-11-01T00:00:00Z; empty for the earliest." },
  postgres: { label: "Cursor from", hint: "A value of the cursor column; empty for all rows." },
  plaid: { label: "", hint: "All transactions are told again; only what differs moves money." },
  stripe: null,
};
