import { createRoute } from "@tanstack/react-router";
import { paths } from "../shared/paths";
import { anySearch, inside } from "./frame";
import { lazyPage } from "./lazyPage";

const dashboards = createRoute({
  getParentRoute: () => inside,
  path: paths.dashboards,
  component: lazyPage(() => import("../features/dashboards/DashboardsPage"), "DashboardsPage"),
});

const dashboard = createRoute({
  getParentRoute: () => inside,
  path: paths.dashboard,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/dashboards/DashboardPage"), "DashboardPage"),
});

const metricAlerts = createRoute({
  getParentRoute: () => inside,
  path: paths.metricAlerts,
  component: lazyPage(() => import("../features/dashboards/AlertsPage"), "AlertsPage"),
});

/** The pages of dashboards that people make. */
export const dashboardRoutes = [dashboards, dashboard, metricAlerts];
