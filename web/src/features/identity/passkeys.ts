import { answer, api, type Schema } from "../../api/client";

type NewPasskey = Schema<"NewPasskey">;

/** Whether this browser can use passkeys on this page: it needs https, or localhost, and a recent browser. */
export function hasPasskeys(): boolean {
  return (
    window.isSecureContext &&
    typeof PublicKeyCredential !== "undefined" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
  );
}

/** Makes a passkey for whoever is signed in, and has the server keep it. */
export async function addPasskey(name: string): Promise<NewPasskey> {
  const { options } = await answer(api.POST("/api/v1/account/passkeys/options"));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  const credential = toJson(await navigator.credentials.create({ publicKey }));
  return answer(api.POST("/api/v1/account/passkeys", { body: { name, credential } }));
}

/** Signs in by a passkey of this browser. */
export async function signInByPasskey(): Promise<Schema<"SignInAnswer">> {
  const { options } = await answer(api.POST("/api/v1/session/passkey/options"));
  return answer(api.POST("/api/v1/session/passkey", { body: { credential: await ask(options) } }));
}

/** Proves by a passkey who is signed in. */
export async function proveByPasskey(): Promise<unknown> {
  const { options } = await answer(api.POST("/api/v1/account/step-up/passkey/options"));
  return answer(api.POST("/api/v1/account/step-up/passkey", { body: { credential: await ask(options) } }));
}

/** Whether somebody closed the browser's own dialog, or let it time out. */
export function isCancelled(error: unknown): boolean {
  return error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");
}

async function ask(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  return toJson(await navigator.credentials.get({ publicKey }));
}

function toJson(credential: Credential | null): Record<string, unknown> {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("No passkey.", "NotAllowedError");
  return { ...credential.toJSON() };
}
