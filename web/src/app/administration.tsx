import {
  ApiOutlined,
  AuditOutlined,
  CheckSquareOutlined,
  IdcardOutlined,
  SecurityScanOutlined,
  SendOutlined,
  SettingOutlined,
  TeamOutlined,
} from "@ant-design/icons";
import { paths } from "../shared/paths";
import { permission } from "../shared/permissions";
import type { NavPage } from "./navPage";

/** The pages of who may do what, of what happened, and of the firm itself. */
export const ADMINISTRATION: readonly NavPage[] = [
  {
    path: paths.access,
    title: "Access alerts",
    icon: <SecurityScanOutlined aria-hidden />,
    needs: permission.readAccessAlerts,
    work: permission.resolveAccessAlerts,
  },
  {
    path: paths.audit,
    title: "Audit",
    icon: <AuditOutlined aria-hidden />,
    needs: permission.readAudit,
    work: permission.readAudit,
  },
  {
    path: paths.privacy,
    title: "Privacy",
    icon: <IdcardOutlined aria-hidden />,
    needs: permission.readPrivacy,
  },
  {
    path: paths.people,
    title: "People and roles",
    icon: <TeamOutlined aria-hidden />,
    needs: permission.readUsers,
  },
  {
    path: paths.approvals,
    title: "Approvals",
    icon: <CheckSquareOutlined aria-hidden />,
    needs: permission.readProposals,
  },
  {
    path: paths.clients,
    title: "API clients",
    icon: <ApiOutlined aria-hidden />,
    needs: permission.readApiKeys,
  },
  {
    path: paths.webhooks,
    title: "Webhooks",
    icon: <SendOutlined aria-hidden />,
    needs: permission.readHooks,
    // Who chooses one for an alert sees its name there.
    unless: permission.writeDashboards,
  },
  {
    path: paths.settings,
    title: "Firm settings",
    icon: <SettingOutlined aria-hidden />,
    needs: permission.readFirm,
  },
];
