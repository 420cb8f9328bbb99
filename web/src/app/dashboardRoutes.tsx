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

const segments = createRoute({
  getParentRoute: () => inside,
  path: paths.segments,
  component: lazyPage(() => import("../features/segments/SegmentsPage"), "SegmentsPage"),
});

const segment = createRoute({
  getParentRoute: () => inside,
  path: paths.segment,
  component: lazyPage(() => import("../features/segments/SegmentPage"), "SegmentPage"),
});

/** The pages of dashboards and of segments that people make. */
export const dashboardRoutes = [dashboards, dashboard, metricAlerts, segments, segment];
