import { createRoute } from "@tanstack/react-router";
import { paths } from "../shared/paths";
import { anySearch, inside } from "./frame";
import { lazyPage } from "./lazyPage";

const fraud = createRoute({
  getParentRoute: () => inside,
  path: paths.fraud,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/FraudPage"), "FraudPage"),
});

const alert = createRoute({
  getParentRoute: () => fraud,
  path: "alerts/$id",
  component: lazyPage(() => import("../features/fraud/AlertPanel"), "AlertPanel"),
});

const cases = createRoute({
  getParentRoute: () => inside,
  path: paths.cases,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/cases/CasesPage"), "CasesPage"),
});

const oneCase = createRoute({
  getParentRoute: () => inside,
  path: paths.case,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/cases/CasePage"), "CasePage"),
});

const rules = createRoute({
  getParentRoute: () => inside,
  path: paths.rules,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/rules/RulesPage"), "RulesPage"),
});

const rule = createRoute({
  getParentRoute: () => inside,
  path: paths.rule,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/rules/RulePage"), "RulePage"),
});

const lists = createRoute({
  getParentRoute: () => inside,
  path: paths.lists,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/lists/ListsPage"), "ListsPage"),
});

const performance = createRoute({
  getParentRoute: () => inside,
  path: paths.performance,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/performance/PerformancePage"), "PerformancePage"),
});

const screening = createRoute({
  getParentRoute: () => inside,
  path: paths.screening,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/screening/ScreeningPage"), "ScreeningPage"),
});

/** The pages of the fraud desk. */
export const deskRoutes = [
  fraud.addChildren([alert]),
  cases,
  oneCase,
  rules,
  rule,
  lists,
  performance,
  screening,
];
