import { createRoute } from "@tanstack/react-router";
import { paths } from "../shared/paths";
import { MissingPage } from "./errorPages";
import { anySearch, inside } from "./frame";
import { lazyPage } from "./lazyPage";

const account = createRoute({
  getParentRoute: () => inside,
  path: paths.account,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/AccountPage"), "AccountPage"),
});

const notifications = createRoute({
  getParentRoute: () => inside,
  path: paths.notifications,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/notifications/NotificationsPage"), "NotificationsPage"),
});

/** An address that is none, for who is signed in: the way on stays beside it. */
const missing = createRoute({ getParentRoute: () => inside, path: "$", component: MissingPage });

/** What everybody has who is signed in, whatever the role. */
export const ownRoutes = [account, notifications, missing];
