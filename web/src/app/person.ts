import type { QueryClient } from "@tanstack/react-query";
import { forgetOthers, type Me, meQuery } from "../features/identity/session";
import { recall, remember } from "../shared/storage";

/** Under which name this browser remembers who is signed in, which tells its other windows when that changes. */
const KEY = "finer.person";

/**
 * One browser has one session: when somebody else signs in, in whichever window, nothing that was read for the person
 * before stays in this one, and `onOther` takes away what else it holds of them.
 */
export function watchPerson(client: QueryClient, onOther: () => void): void {
  // Of this window alone: whoever opens a link in one of their own is led to what it shows.
  let before = recall<string | null>(KEY, null, "sessionStorage");
  client.getQueryCache().subscribe(({ type, query }) => {
    if (type !== "updated" || query.queryKey[0] !== meQuery.queryKey[0]) return;
    const now = (query.state.data as Me | undefined)?.user.id;
    if (!now || now === before) return;
    const other = before !== null;
    before = now;
    remember(KEY, now, "sessionStorage");
    if (other) {
      forgetOthers(client);
      onOther();
    }
    if (recall<string | null>(KEY, null) !== now) remember(KEY, now);
  });
  window.addEventListener("storage", ({ key }) => {
    if (key === KEY) void client.invalidateQueries({ queryKey: meQuery.queryKey });
  });
}
