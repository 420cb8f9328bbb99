/** The problem of a request whose twin, with the same idempotency key, has not been answered yet. */
export const UNDER_WAY = "urn:finer:problem:idempotency-key-in-use";

const TIMES = 10;

/**
 * Sends a request; while the server says that the same one is under way, as after a lost answer, asks again for the
 * answer of the first: nobody else was faster, and the act is done once.
 */
export async function sendForAnswer(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  if (!request.headers.has("Idempotency-Key")) return send(request);
  let next = request;
  for (let left = TIMES; ; left -= 1) {
    const again = next.clone();
    const response = await send(next);
    if (left === 1 || response.status !== 409 || !(await isUnderWay(response))) return response;
    await new Promise((resolve) => setTimeout(resolve, waitOf(response)));
    next = again;
  }
}

/** Milliseconds that the server asks for, up to five seconds; a second when it does not say. */
function waitOf(response: Response): number {
  const asked = Number(response.headers.get("Retry-After") ?? 1);
  return 1000 * (Number.isFinite(asked) ? Math.min(5, Math.max(0, asked)) : 1);
}

async function isUnderWay(response: Response): Promise<boolean> {
  try {
    return ((await response.clone().json()) as { type?: unknown }).type === UNDER_WAY;
  } catch {
    return false;
  }
}
