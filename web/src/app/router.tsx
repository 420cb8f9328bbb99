import type { QueryClient } from "@tanstack/react-query";
import { createRouter, type RouterHistory } from "@tanstack/react-router";
import { isProblem } from "../api/problem";
import { onRefusedAct } from "../api/signedOut";
import { forgetEverything, meQuery } from "../features/identity/session";
import { paths } from "../shared/paths";
import { FailedPage, MissingPage } from "./errorPages";
import { watchPerson } from "./person";
import { tree } from "./routes";
import { keepPage, leavePage } from "./written";

const SECOND_FACTOR_MISSING = "urn:finer:problem:second-factor-missing";

export function createAppRouter(client: QueryClient, history?: RouterHistory) {
  const router = createRouter({
    routeTree: tree,
    context: { client },
    history,
    defaultErrorComponent: FailedPage,
    defaultNotFoundComponent: MissingPage,
    defaultPendingMs: 300,
    scrollRestoration: true,
  });
  router.subscribe("onBeforeLoad", ({ pathChanged }) => {
    // Whoever leaves a page that was kept, by whatever way, is asked who they are first.
    if (pathChanged && leavePage()) forgetEverything(client);
  });
  watchPerson(client, () => {
    // Nor does the address stay, which may hold what they looked for.
    void router.navigate({ to: paths.home, replace: true }).then(() => router.invalidate());
  });
  const ended = (acting = false) => {
    const { pathname, href } = router.state.location;
    if (pathname === paths.signIn || keepPage(acting)) return;
    void router.navigate({ to: paths.signIn, search: { next: href } }).then(() => forgetEverything(client));
  };
  // A session that ends while somebody works shows in whichever call comes next.
  onRefusedAct(() => ended(true));
  client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "error") return;
    if (isProblem(event.action.error) && event.action.error.type === SECOND_FACTOR_MISSING) {
      void client.refetchQueries({ queryKey: meQuery.queryKey }).then(() => router.invalidate());
      return;
    }
    if (isProblem(event.action.error, 401)) ended();
  });
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
