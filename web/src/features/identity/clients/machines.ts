import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

/** The two kinds of machines: one sends a key with every request, the other fetches short-lived tokens. */
export type Kind = "key" | "client";

/** A machine of either kind, as the page shows it. */
export interface Machine {
  kind: Kind;
  name: string;
  /** What names it to the server: the prefix of a key, the id of a client. */
  ref: string;
  scopes: string[];
  networks: string[];
  createdBy: string;
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
  previousUntil: string | null;
  approvedAt: string | null;
  /** What waits for somebody else's approval about it. */
  proposal: string | null;
}

export interface Wanted {
  name: string;
  scopes: string[];
  days: number;
  networks: string[];
  reason: string;
}

/** What is shown once: what the machine is known by, and its secret. */
export interface Secret {
  machine: Machine;
  secret: string;
}

export const machinesQuery = queryOptions({
  queryKey: ["machines"],
  queryFn: async ({ signal }): Promise<Machine[]> => {
    const [keys, clients] = await Promise.all([
      answer(api.GET("/api/v1/api-keys", { signal })),
      answer(api.GET("/api/v1/oauth/clients", { signal })),
    ]);
    const all = [...keys.map(ofKey), ...clients.map(ofClient)];
    return all.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  },
});

export async function create(kind: Kind, wanted: Wanted): Promise<Secret> {
  if (kind === "key") {
    const made = await answer(api.POST("/api/v1/api-keys", { body: wanted }));
    return { machine: ofKey(made), secret: made.key };
  }
  const made = await answer(api.POST("/api/v1/oauth/clients", { body: wanted }));
  return { machine: ofClient(made), secret: made.client_secret };
}

/** Changes a machine; wider networks wait for approval, and the machine is answered as it is until then. */
export async function change(
  machine: Machine,
  body: { name: string; networks: string[]; reason: string },
): Promise<Machine> {
  if (machine.kind === "key") {
    const params = { path: { prefix: machine.ref } };
    return ofKey(await answer(api.PATCH("/api/v1/api-keys/{prefix}", { params, body })));
  }
  const params = { path: { client_id: machine.ref } };
  return ofClient(await answer(api.PATCH("/api/v1/oauth/clients/{client_id}", { params, body })));
}

export async function rotate(machine: Machine, overlapHours: number): Promise<Secret> {
  const body = { overlap_hours: overlapHours, reason: "" };
  if (machine.kind === "key") {
    const params = { path: { prefix: machine.ref } };
    const made = await answer(api.POST("/api/v1/api-keys/{prefix}/rotation", { params, body }));
    return { machine: ofKey(made), secret: made.key };
  }
  const params = { path: { client_id: machine.ref } };
  const made = await answer(api.POST("/api/v1/oauth/clients/{client_id}/rotation", { params, body }));
  return { machine: ofClient(made), secret: made.client_secret };
}

export function revoke(machine: Machine): Promise<unknown> {
  return machine.kind === "key"
    ? answer(api.DELETE("/api/v1/api-keys/{prefix}", { params: { path: { prefix: machine.ref } } }))
    : answer(
        api.DELETE("/api/v1/oauth/clients/{client_id}", { params: { path: { client_id: machine.ref } } }),
      );
}

export type State = "waiting" | "working" | "expired" | "revoked";

export function stateOf(machine: Machine, now: number): State {
  if (machine.revokedAt) return "revoked";
  if (Date.parse(machine.expiresAt) <= now) return "expired";
  return machine.approvedAt ? "working" : "waiting";
}

function ofKey(key: Schema<"ApiKeyView">): Machine {
  return { kind: "key", ref: key.prefix, ...shared(key) };
}

function ofClient(client: Schema<"OAuthClientView">): Machine {
  return { kind: "client", ref: client.client_id, ...shared(client) };
}

function shared(row: Schema<"ApiKeyView"> | Schema<"OAuthClientView">): Omit<Machine, "kind" | "ref"> {
  return {
    name: row.name,
    scopes: row.scopes,
    networks: row.networks,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    previousUntil: row.previous_until,
    approvedAt: row.approved_at,
    proposal: row.proposal,
  };
}
