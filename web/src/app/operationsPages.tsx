import {
  AlertOutlined,
  AppstoreOutlined,
  CloudServerOutlined,
  DashboardOutlined,
  FundOutlined,
  FunnelPlotOutlined,
  ShoppingOutlined,
} from "@ant-design/icons";
import { paths } from "../shared/paths";
import { METRICS, permission } from "../shared/permissions";
import type { NavPage } from "./navPage";

/** The dashboards: what the firm does now, for those who steer it. */
export const OPERATIONS: readonly NavPage[] = [
  {
    path: paths.overview,
    title: "Executive",
    icon: <DashboardOutlined aria-hidden />,
    needs: permission.summariseAlerts,
    also: [permission.readAlerts],
    group: "Operations",
  },
  {
    path: paths.finance,
    title: "Financial performance",
    icon: <FundOutlined aria-hidden />,
    needs: permission.readFinance,
    group: "Operations",
  },
  {
    path: paths.orders,
    title: "Order status",
    icon: <ShoppingOutlined aria-hidden />,
    needs: permission.readOrders,
    group: "Operations",
  },
  {
    path: paths.behaviour,
    title: "Customer behaviour",
    icon: <FunnelPlotOutlined aria-hidden />,
    needs: permission.readBehaviour,
    group: "Operations",
  },
  {
    path: paths.system,
    title: "System performance",
    icon: <CloudServerOutlined aria-hidden />,
    needs: permission.readPipeline,
    group: "Operations",
  },
  {
    path: paths.dashboards,
    title: "Dashboards",
    icon: <AppstoreOutlined aria-hidden />,
    needs: permission.readDashboards,
    group: "Operations",
  },
  {
    path: paths.metricAlerts,
    title: "Alerts on metrics",
    icon: <AlertOutlined aria-hidden />,
    needs: permission.writeDashboards,
    also: METRICS,
    group: "Operations",
  },
];
