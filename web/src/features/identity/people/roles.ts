import type { Role } from "./queries";

/** The roles that a person can have. A machine has an API key instead. */
export const ROLES: readonly Role[] = [
  "administrator",
  "auditor",
  "credit_officer",
  "customer",
  "customer_manager",
  "data_engineer",
  "executive",
  "marketing_manager",
  "risk_analyst",
];
