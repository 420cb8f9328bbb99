import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Account = Schema<"Account">;
export type Session = Schema<"Session">;

/** What I can sign in with. */
export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/account", { signal })),
});

/** Where I am signed in. */
export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/sessions", { signal })),
});

/** Fetches both anew, after something was changed. */
export async function refetchAccount(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: accountQuery.queryKey }),
    client.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  ]);
}

const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["Linux", "Linux"],
] as const;

/** "Chrome on Windows", or the beginning of what the client calls itself. */
export function deviceText(userAgent: string): string {
  const browser = BROWSERS.find(([mark]) => userAgent.includes(mark))?.[1];
  const system = SYSTEMS.find(([mark]) => userAgent.includes(mark))?.[1];
  if (browser) return system ? `${browser} on ${system}` : browser;
  return userAgent.slice(0, 60) || "An unnamed client";
}

/** How somebody showed who they are, in words. */
export const FACTOR_WORDS: Record<Session["factor"], string> = {
  link: "sign-in link",
  passkey: "passkey",
  password: "password",
  recovery: "recovery code",
  sso: "firm sign-in",
  sso_mfa: "firm sign-in with a second factor",
  totp: "authenticator app",
};
