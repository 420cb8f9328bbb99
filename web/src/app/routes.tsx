import { createRoute, redirect } from "@tanstack/react-router";
import { paths } from "../shared/paths";
import { dashboardRoutes } from "./dashboardRoutes";
import { deskRoutes } from "./deskRoutes";
import { NoPagesPage } from "./errorPages";
import { anySearch, inside, root, signIn } from "./frame";
import { lazyPage } from "./lazyPage";
import { firstPage } from "./navigation";
import { ownRoutes } from "./ownRoutes";

const home = createRoute({
  getParentRoute: () => inside,
  path: paths.home,
  component: NoPagesPage,
  beforeLoad: ({ context }) => {
    const first = firstPage(context.me.permissions);
    if (first) throw redirect({ to: first.path, replace: true });
  },
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: paths.overview,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/boards/ExecutivePage"), "ExecutivePage"),
});

const models = createRoute({
  getParentRoute: () => inside,
  path: paths.models,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/fraud/models/ModelsPage"), "ModelsPage"),
});

const model = createRoute({
  getParentRoute: () => inside,
  path: paths.model,
  component: lazyPage(() => import("../features/fraud/models/ModelPage"), "ModelPage"),
});

const finance = createRoute({
  getParentRoute: () => inside,
  path: paths.finance,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/boards/FinancePage"), "FinancePage"),
});

const orders = createRoute({
  getParentRoute: () => inside,
  path: paths.orders,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/boards/OrdersPage"), "OrdersPage"),
});

const behaviour = createRoute({
  getParentRoute: () => inside,
  path: paths.behaviour,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/boards/BehaviourPage"), "BehaviourPage"),
});

const system = createRoute({
  getParentRoute: () => inside,
  path: paths.system,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/boards/SystemPage"), "SystemPage"),
});

const pipeline = createRoute({
  getParentRoute: () => inside,
  path: paths.pipeline,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/operations/PipelinePage"), "PipelinePage"),
});

const lake = createRoute({
  getParentRoute: () => inside,
  path: paths.lake,
  component: lazyPage(() => import("../features/lake/LakePage"), "LakePage"),
});

const sources = createRoute({
  getParentRoute: () => inside,
  path: paths.sources,
  component: lazyPage(() => import("../features/sources/SourcesPage"), "SourcesPage"),
});

/** The list stays, with one source beside it. */
const source = createRoute({ getParentRoute: () => sources, path: "$id" });

const sql = createRoute({
  getParentRoute: () => inside,
  path: paths.sql,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/workspace/WorkspacePage"), "WorkspacePage"),
});

const contracts = createRoute({
  getParentRoute: () => inside,
  path: paths.contracts,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/ingest/ContractsPage"), "ContractsPage"),
});

const contract = createRoute({
  getParentRoute: () => inside,
  path: paths.contract,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/ingest/ContractPage"), "ContractPage"),
});

const contractDraft = createRoute({
  getParentRoute: () => inside,
  path: paths.contractDraft,
  component: lazyPage(() => import("../features/ingest/DraftPage"), "DraftPage"),
});

const quarantine = createRoute({
  getParentRoute: () => inside,
  path: paths.quarantine,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/quarantine/QuarantinePage"), "QuarantinePage"),
});

const access = createRoute({
  getParentRoute: () => inside,
  path: paths.access,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/access/AccessPage"), "AccessPage"),
});

const audit = createRoute({
  getParentRoute: () => inside,
  path: paths.audit,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/audit/AuditPage"), "AuditPage"),
});

const privacy = createRoute({
  getParentRoute: () => inside,
  path: paths.privacy,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/privacy/PrivacyPage"), "PrivacyPage"),
});

const people = createRoute({
  getParentRoute: () => inside,
  path: paths.people,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/people/PeoplePage"), "PeoplePage"),
});

const approvals = createRoute({
  getParentRoute: () => inside,
  path: paths.approvals,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/people/ApprovalsPage"), "ApprovalsPage"),
});

const webhooks = createRoute({
  getParentRoute: () => inside,
  path: paths.webhooks,
  component: lazyPage(() => import("../features/notifications/WebhooksPage"), "WebhooksPage"),
});

const clients = createRoute({
  getParentRoute: () => inside,
  path: paths.clients,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/identity/clients/ClientsPage"), "ClientsPage"),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: paths.settings,
  component: lazyPage(() => import("../features/identity/firm/SettingsPage"), "SettingsPage"),
});

const catalogue = createRoute({
  getParentRoute: () => inside,
  path: paths.catalogue,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/catalogue/CataloguePage"), "CataloguePage"),
});

const jobs = createRoute({
  getParentRoute: () => inside,
  path: paths.jobs,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/jobs/JobsPage"), "JobsPage"),
});

const quality = createRoute({
  getParentRoute: () => inside,
  path: paths.quality,
  validateSearch: anySearch,
  component: lazyPage(() => import("../features/quality/QualityPage"), "QualityPage"),
});

/** Every page, and what has to be so before it opens. */
export const tree = root.addChildren([
  signIn,
  inside.addChildren([
    home,
    overview,
    ...deskRoutes,
    catalogue,
    jobs,
    models,
    model,
    finance,
    orders,
    behaviour,
    system,
    ...dashboardRoutes,
    pipeline,
    contracts,
    contract,
    contractDraft,
    sources.addChildren([source]),
    lake,
    sql,
    quality,
    quarantine,
    privacy,
    access,
    audit,
    people,
    approvals,
    clients,
    webhooks,
    settings,
    ...ownRoutes,
  ]),
]);
