/** The permissions that pages and buttons ask for, as `GET /api/v1/me` names them. */
export const permission = {
  readAlerts: "alert:read",
  resolveAlerts: "alert:resolve",
  readPipeline: "pipeline:read",
} as const;

export type Permission = (typeof permission)[keyof typeof permission];
