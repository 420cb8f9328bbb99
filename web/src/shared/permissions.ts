/** The permissions that pages and buttons ask for, as `GET /api/v1/me` names them. */
export const permission = {
  readAlerts: "alerts:read",
  resolveAlerts: "alerts:resolve",
  summariseAlerts: "alerts:summarise",
  approvePrivacy: "privacy:approve",
  breachPrivacy: "privacy:breach",
  exportPrivacy: "privacy:export",
  readPrivacy: "privacy:read",
  writePrivacy: "privacy:write",
  readPipeline: "pipeline:read",
  readQuarantine: "quarantine:read",
  readReceipts: "receipts:read",
  readAudit: "audit:read",
  verifyAudit: "audit:verify",
  exportAudit: "audit:export",
  readAccessAlerts: "security_alerts:read",
  resolveAccessAlerts: "security_alerts:resolve",
  assignAlerts: "alerts:assign",
  revealAlerts: "alerts:reveal",
  readUsers: "users:read",
  writeUsers: "users:write",
  writeTeams: "teams:write",
  readProposals: "proposals:read",
} as const;

export type Permission = (typeof permission)[keyof typeof permission];
