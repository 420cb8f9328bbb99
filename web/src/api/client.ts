import createClient, { type Middleware } from "openapi-fetch";
import { isAttended } from "./attention";
import { newKey } from "./keys";
import { problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";
import { noteRefusal } from "./signedOut";
import { sendWithProof } from "./stepUp";
import { sendForAnswer } from "./underWay";

/** The schemas of the API by name: `Schema<"Alert">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

const SAFE = new Set(["GET", "HEAD"]);

/**
 * Unsafe requests carry a header that a foreign site cannot set, and a key that makes a repetition harmless; one that is
 * refused because the session has ended is told of.
 */
const acts: Middleware = {
  onRequest({ request }) {
    if (!isAttended()) request.headers.set("X-Unattended", "1");
    if (SAFE.has(request.method)) return;
    request.headers.set("X-Requested-With", "finer");
    if (!request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", newKey());
  },
  async onResponse({ request, response }) {
    if (!SAFE.has(request.method)) await noteRefusal(response);
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  headers: { Accept: "application/json, application/problem+json" },
  fetch: (request) => sendWithProof(request, (one) => sendForAnswer(one, (each) => globalThis.fetch(each))),
});
api.use(acts);

/** The data of a call; throws ApiProblem when there is none. */
export async function answer<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  let result: { data?: T; error?: unknown; response: Response };
  try {
    result = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!result.response.ok) throw problemOf(result.response.status, result.error);
  return result.data as T;
}
