import { newKey } from "./keys";

/** The problem of an act that wants a fresh proof of who is asking. */
export const STEP_UP = "urn:finer:problem:step-up-required";

/** Asks the person; true when they have proven who they are. `methods` are the factors that would do. */
export type Ask = (methods: readonly string[]) => Promise<boolean>;

let ask: Ask | null = null;
let asking: Promise<boolean> | null = null;

/** Says who asks the person. Returns the way to take it back. */
export function onStepUp(handler: Ask): () => void {
  ask = handler;
  return () => {
    if (ask === handler) ask = null;
  };
}

/** Sends a request; when it wants a fresh proof, asks the person and sends the same request once more. */
export async function sendWithProof(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  const again = request.clone();
  const response = await send(request);
  if (response.status !== 403 || ask === null) return response;
  const methods = await wantedProofs(response);
  if (methods === null) return response;
  // Requests that are refused at the same moment share one dialog.
  asking ??= ask(methods).finally(() => {
    asking = null;
  });
  if (!(await asking)) return response;
  const headers = new Headers(again.headers);
  if (headers.has("Idempotency-Key")) headers.set("Idempotency-Key", newKey());
  return send(new Request(again, { headers }));
}

async function wantedProofs(response: Response): Promise<readonly string[] | null> {
  try {
    const problem = (await response.clone().json()) as { type?: unknown; methods?: unknown };
    if (problem.type !== STEP_UP) return null;
    return Array.isArray(problem.methods)
      ? problem.methods.filter((one): one is string => typeof one === "string")
      : [];
  } catch {
    return null;
  }
}
