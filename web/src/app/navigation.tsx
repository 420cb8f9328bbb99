import {
  ApartmentOutlined,
  BellOutlined,
  BookOutlined,
  ConsoleSqlOutlined,
  DashboardOutlined,
  DatabaseOutlined,
  ExperimentOutlined,
  FieldTimeOutlined,
  FileProtectOutlined,
  FilterOutlined,
  FolderOpenOutlined,
  HomeOutlined,
  ImportOutlined,
  LineChartOutlined,
  LockOutlined,
  MedicineBoxOutlined,
  SafetyOutlined,
  StockOutlined,
  TeamOutlined,
  UnorderedListOutlined,
  UserSwitchOutlined,
} from "@ant-design/icons";
import { paths } from "../shared/paths";
import { permission } from "../shared/permissions";
import type { Me } from "../shared/session";
import { ADMINISTRATION } from "./administration";
import type { NavPage, OwnPage } from "./navPage";
import { OPERATIONS } from "./operationsPages";

const PAGES: readonly NavPage[] = [
  {
    path: paths.overview,
    title: "Executive",
    icon: <DashboardOutlined aria-hidden />,
    needs: permission.summariseAlerts,
    unless: permission.readAlerts,
  },
  {
    path: paths.fraud,
    title: "Fraud monitor",
    icon: <SafetyOutlined aria-hidden />,
    needs: permission.readAlerts,
    work: permission.resolveAlerts,
  },
  {
    path: paths.cases,
    title: "Cases",
    icon: <FolderOpenOutlined aria-hidden />,
    needs: permission.readCases,
  },
  {
    path: paths.rules,
    title: "Rules",
    icon: <FilterOutlined aria-hidden />,
    needs: permission.readRules,
  },
  {
    path: paths.models,
    title: "Models",
    icon: <ExperimentOutlined aria-hidden />,
    needs: permission.readModels,
  },
  {
    path: paths.lists,
    title: "Lists",
    icon: <UnorderedListOutlined aria-hidden />,
    needs: permission.readLists,
  },
  {
    path: paths.screening,
    title: "Screening",
    icon: <UserSwitchOutlined aria-hidden />,
    needs: permission.readScreening,
  },
  {
    path: paths.performance,
    title: "Performance",
    icon: <LineChartOutlined aria-hidden />,
    needs: permission.readPerformance,
  },
  {
    path: paths.segments,
    title: "Segments",
    icon: <TeamOutlined aria-hidden />,
    needs: permission.readSegments,
    work: permission.writeSegments,
    group: "Customers",
  },
  ...OPERATIONS,
  {
    path: paths.pipeline,
    title: "Pipeline",
    icon: <ApartmentOutlined aria-hidden />,
    needs: permission.readPipeline,
    group: "Data",
  },
  {
    path: paths.contracts,
    title: "Contracts",
    icon: <FileProtectOutlined aria-hidden />,
    needs: permission.readContracts,
    group: "Data",
  },
  {
    path: paths.quarantine,
    title: "Quarantine",
    icon: <MedicineBoxOutlined aria-hidden />,
    needs: permission.readQuarantine,
    group: "Data",
  },
  {
    path: paths.quality,
    title: "Quality",
    icon: <StockOutlined aria-hidden />,
    needs: permission.readQuality,
    work: permission.manageQuality,
    group: "Data",
  },
  {
    path: paths.sources,
    title: "Sources",
    icon: <ImportOutlined aria-hidden />,
    needs: permission.readSources,
    group: "Data",
  },
  {
    path: paths.catalogue,
    title: "Catalogue",
    icon: <BookOutlined aria-hidden />,
    needs: permission.readLineage,
    group: "Data",
  },
  {
    path: paths.lake,
    title: "Lake",
    icon: <DatabaseOutlined aria-hidden />,
    needs: permission.readLake,
    group: "Data",
  },
  {
    path: paths.sql,
    title: "SQL",
    icon: <ConsoleSqlOutlined aria-hidden />,
    needs: permission.runSql,
    group: "Data",
  },
  {
    path: paths.jobs,
    title: "Jobs",
    icon: <FieldTimeOutlined aria-hidden />,
    needs: permission.readJobs,
    group: "Data",
  },
  ...ADMINISTRATION,
];

/** What everybody has; the navigation holds it for those whose role opens no page. */
const OWN_PAGES: readonly OwnPage[] = [
  { path: paths.home, title: "Welcome", icon: <HomeOutlined aria-hidden /> },
  { path: paths.notifications, title: "Notifications", icon: <BellOutlined aria-hidden /> },
  { path: paths.account, title: "Account security", icon: <LockOutlined aria-hidden /> },
];

/** The pages that a person may open, in the order of the navigation. */
export function allowedPages(permissions: readonly string[]): NavPage[] {
  const has = (one: string) => permissions.includes(one);
  return PAGES.filter(
    ({ needs, also, unless }) => has(needs) && (also?.some(has) ?? true) && !(unless && has(unless)),
  );
}

/** What the navigation lists. Until the second factor that the firm wants is set up, nothing else opens. */
export function navPages(me: Me): readonly (NavPage | OwnPage)[] {
  if (me.second_factor_missing) return OWN_PAGES.filter((page) => page.path === paths.account);
  const allowed = allowedPages(me.permissions);
  return allowed.length > 0 ? allowed : OWN_PAGES;
}

/** Where somebody begins: the page of their own work, or else the first that they may open. */
export function firstPage(permissions: readonly string[]): NavPage | undefined {
  const allowed = allowedPages(permissions);
  return allowed.find(({ work }) => work && permissions.includes(work)) ?? allowed[0];
}

/** The page at an address, whether allowed or not. */
export function pageAt(pathname: string): NavPage | undefined {
  return PAGES.find((page) => pathname === page.path || pathname.startsWith(`${page.path}/`));
}
