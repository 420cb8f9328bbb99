/** Every address of the web app, and of the streams it listens to. */
export const paths = {
  home: "/",
  signIn: "/sign-in",
  account: "/account",
  overview: "/overview",
  fraud: "/fraud",
  alert: "/fraud/alerts/$id",
  cases: "/cases",
  case: "/cases/$id",
  rules: "/rules",
  rule: "/rules/$rule",
  models: "/models",
  model: "/models/$id",
  lists: "/lists",
  performance: "/performance",
  screening: "/screening",
  dashboards: "/dashboards",
  dashboard: "/dashboards/$id",
  metricAlerts: "/metric-alerts",
  segments: "/segments",
  segment: "/segments/$id",
  finance: "/finance",
  orders: "/orders",
  behaviour: "/behaviour",
  system: "/system",
  pipeline: "/pipeline",
  sources: "/sources",
  source: "/sources/$id",
  lake: "/lake",
  contracts: "/contracts",
  contract: "/contracts/$contract",
  contractDraft: "/contracts/drafts/$draft",
  sql: "/sql",
  privacy: "/privacy",
  quality: "/quality",
  quarantine: "/quarantine",
  audit: "/audit",
  access: "/security",
  people: "/people",
  approvals: "/approvals",
  clients: "/clients",
  webhooks: "/webhooks",
  settings: "/settings",
  notifications: "/notifications",
  jobs: "/jobs",
  catalogue: "/catalogue",
  streams: {
    alerts: "/api/v1/alerts/stream",
    behaviour: "/api/v1/operations/behaviour/stream",
    executive: "/api/v1/operations/executive/stream",
    finance: "/api/v1/operations/finance/stream",
    notifications: "/api/v1/notifications/stream",
    orders: "/api/v1/operations/orders/stream",
    pipeline: "/api/v1/pipeline/stream",
    system: "/api/v1/operations/system/stream",
  },
} as const;

/**
 * The place to return to after signing in, or home. Only a path of this site: anything else could send a person
 * who just typed a password to a foreign page.
 */
export function safeReturn(next: string | undefined): string {
  if (!next?.startsWith("/")) return paths.home;
  try {
    const url = new URL(next, window.location.origin);
    const local = url.origin === window.location.origin && !url.pathname.startsWith(paths.signIn);
    return local ? url.pathname + url.search + url.hash : paths.home;
  } catch {
    return paths.home;
  }
}
