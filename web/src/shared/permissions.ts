/** The permissions that pages and buttons ask for, as `GET /api/v1/me` names them. */
export const permission = {
  readAlerts: "alerts:read",
  resolveAlerts: "alerts:resolve",
  summariseAlerts: "alerts:summarise",
  readPipeline: "pipeline:read",
  readQuarantine: "quarantine:read",
  readReceipts: "receipts:read",
} as const;

export type Permission = (typeof permission)[keyof typeof permission];
