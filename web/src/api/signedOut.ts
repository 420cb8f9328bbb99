/** The problem of a call by nobody: the session has ended, or there was none. A refused sign-in has another. */
export const SIGNED_OUT = "urn:finer:problem:unauthenticated";

let tell: (() => void) | null = null;

/** Says who learns that an act was refused because the session has ended. The last one who asked is told. */
export function onRefusedAct(handler: () => void): void {
  tell = handler;
}

/** Looks at the answer to an act: what is refused may be the work of an hour. */
export async function noteRefusal(response: Response): Promise<void> {
  if (response.status !== 401 || tell === null) return;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  if ((problem as { type?: unknown } | null)?.type === SIGNED_OUT) tell();
}
