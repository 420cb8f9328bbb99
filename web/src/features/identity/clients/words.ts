import type { Kind, Machine, State } from "./machines";

/** What a machine may be allowed, in words. A test compares the list with the server's grants for machines. */
export const SCOPES: readonly { scope: string; about: string }[] = [
  { scope: "events:write", about: "Send records" },
  { scope: "decisions:write", about: "Ask for a decision and wait for it" },
  { scope: "decisions:read", about: "Read decisions" },
  { scope: "receipts:read", about: "Read receipts of what was sent" },
  { scope: "quality:read", about: "Read scores and incidents of data quality" },
  { scope: "quarantine:edit", about: "Change and discard refused records" },
  { scope: "quarantine:read", about: "Read refused records" },
  { scope: "rules:read", about: "Read rules" },
  { scope: "screening:check", about: "Screen payees and customers before money moves" },
  { scope: "lists:read", about: "Read lists" },
  { scope: "lists:write", about: "Put entries on lists" },
  { scope: "quarantine:release", about: "Release refused records" },
  { scope: "cases:carry_out", about: "Carry out what cases ask of your systems: hold, release, call" },
  { scope: "labels:write", about: "Report what payments turned out to be: chargebacks, complaints" },
  { scope: "contracts:read", about: "Read contracts and what their versions change" },
  { scope: "models:read", about: "Read models and their cards" },
  { scope: "pipeline:read", about: "Read the state of the pipeline" },
  { scope: "jobs:read", about: "See jobs and their runs" },
  { scope: "jobs:run", about: "Run, repeat and stop jobs" },
  { scope: "lake:read", about: "See the tables and snapshots of the lake" },
  { scope: "lineage:read", about: "Search the catalogue and see where data comes from" },
];

/** The rule of a field that holds what a machine is called. */
export const NAMED = [{ required: true, whitespace: true, message: "Say which system uses it." }];

export const KINDS: Record<Kind, string> = { key: "API key", client: "OAuth client" };

export const STATES: Record<State, { word: string; tone: string }> = {
  waiting: { word: "Waits for approval", tone: "review" },
  working: { word: "Working", tone: "approve" },
  expired: { word: "Expired", tone: "review" },
  revoked: { word: "Revoked", tone: "quiet" },
};

/** What a machine is called in lists and logs: the visible beginning of the key, or the id of the client. */
export function shownRef(machine: Pick<Machine, "kind" | "ref">): string {
  return machine.kind === "key" ? `fk_${machine.ref}_…` : machine.ref;
}

/** Networks as people type them: separated by commas, blanks or lines. */
export function readNetworks(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== "");
}

/** The request that shows that a new secret works. */
export function tryOut(machine: Pick<Machine, "kind" | "ref">, secret: string, origin: string): string {
  return machine.kind === "key"
    ? `curl -H "Authorization: Bearer ${secret}" ${origin}/api/v1/pipeline`
    : `curl -u "${machine.ref}:${secret}" -d grant_type=client_credentials ${origin}/api/v1/oauth/token`;
}
