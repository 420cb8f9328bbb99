import createClient, { type Middleware } from "openapi-fetch";
import { problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";

/** The schemas of the API by name: `Schema<"Alert">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

const SAFE = new Set(["GET", "HEAD"]);

/** Unsafe requests carry a header that a foreign site cannot set, and a key that makes a repetition harmless. */
const headers: Middleware = {
  onRequest({ request }) {
    if (SAFE.has(request.method)) return;
    request.headers.set("X-Requested-With", "finer");
    if (!request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", newKey());
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  headers: { Accept: "application/json, application/problem+json" },
  fetch: (request) => globalThis.fetch(request),
});
api.use(headers);

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

/** A random key. `crypto.randomUUID` exists in secure contexts only, and a laptop may be reached by plain HTTP. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
