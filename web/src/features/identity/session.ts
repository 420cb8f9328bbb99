import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import { isProblem, problemOf } from "../../api/problem";
import { forgetAll, openSheetsKey } from "../../shared/storage";

export type Me = Schema<"Me">;
type SignInAnswer = Schema<"SignInAnswer">;

/** Who is signed in. Fails with problem 401 when nobody is. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => {
    // The server leaves this mark when no session came with the page: asking would only be refused.
    if (document.cookie.includes("finer_signed_out=1")) throw problemOf(401, null);
    return answer(api.GET("/api/v1/me", { signal }));
  },
  staleTime: 5 * 60_000,
});

export function signIn(email: string, password: string): Promise<SignInAnswer> {
  return answer(api.POST("/api/v1/session", { body: { email, password } }));
}

const links = new Map<string, Promise<SignInAnswer>>();

/** Spends a one-click link. A token works once, so the same token is sent once however often this is called. */
export function signInByLink(token: string): Promise<SignInAnswer> {
  const running = links.get(token) ?? answer(api.POST("/api/v1/session/link", { body: { token } }));
  links.set(token, running);
  return running;
}

/**
 * Leaves nothing of one person in memory for the next. The question who is signed in stays and loses its answer:
 * whoever watches it must see the next person.
 */
export function forgetEverything(client: QueryClient): void {
  forgetOthers(client);
  client.getQueryCache().find({ queryKey: meQuery.queryKey })?.reset();
}

/** Forgets all answers but the one to who is signed in. */
export function forgetOthers(client: QueryClient): void {
  const [key] = meQuery.queryKey;
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== key });
}

export async function signOut(): Promise<void> {
  await answer(api.DELETE("/api/v1/session")).catch((error: unknown) => {
    // Whoever is signed out already has what they want.
    if (!isProblem(error, 401)) throw error;
  });
  forgetAll(openSheetsKey);
}
