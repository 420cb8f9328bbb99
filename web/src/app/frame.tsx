import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { isProblem } from "../api/problem";
import { meQuery } from "../features/identity/session";
import { paths } from "../shared/paths";
import { currencyQuery } from "../shared/ui/Worth";
import { FailedPage, MissingPage, WaitingPage } from "./errorPages";
import { lazyPage } from "./lazyPage";
import { Shell } from "./Shell";

export const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  errorComponent: FailedPage,
  notFoundComponent: MissingPage,
});

export const signIn = createRoute({
  getParentRoute: () => root,
  path: paths.signIn,
  component: lazyPage(() => import("../features/identity/SignInPage"), "SignInPage"),
});

/** Everything that needs somebody signed in. */
export const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  pendingComponent: WaitingPage,
  beforeLoad: async ({ context, location }) => {
    try {
      const me = await context.client.ensureQueryData(meQuery);
      // Until the second factor that the firm wants is set up, the server opens nothing but the own account.
      if (me.second_factor_missing && location.pathname !== paths.account)
        throw redirect({ to: paths.account, search: { next: location.href }, replace: true });
      if (!me.second_factor_missing) void context.client.prefetchQuery(currencyQuery);
      return { me };
    } catch (error) {
      if (!isProblem(error, 401)) throw error;
      const next = location.href === paths.home ? undefined : location.href;
      throw redirect({ to: paths.signIn, search: { next } });
    }
  },
});

/** Search parameters are read by the pages themselves, which leave out what they do not understand. */
export const anySearch = (search: Record<string, unknown>): Record<string, unknown> => search;
