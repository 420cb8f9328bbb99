import type { ReactNode } from "react";
import type { paths } from "../shared/paths";
import type { Permission } from "../shared/permissions";

/** A page of the navigation: where it is, and who may open it. */
export interface NavPage {
  path:
    | typeof paths.overview
    | typeof paths.fraud
    | typeof paths.cases
    | typeof paths.rules
    | typeof paths.models
    | typeof paths.lists
    | typeof paths.performance
    | typeof paths.screening
    | typeof paths.segments
    | typeof paths.dashboards
    | typeof paths.metricAlerts
    | typeof paths.finance
    | typeof paths.orders
    | typeof paths.behaviour
    | typeof paths.system
    | typeof paths.pipeline
    | typeof paths.sources
    | typeof paths.lake
    | typeof paths.sql
    | typeof paths.quality
    | typeof paths.quarantine
    | typeof paths.catalogue
    | typeof paths.jobs
    | typeof paths.contracts
    | typeof paths.access
    | typeof paths.audit
    | typeof paths.privacy
    | typeof paths.people
    | typeof paths.approvals
    | typeof paths.clients
    | typeof paths.webhooks
    | typeof paths.settings;
  title: string;
  icon: ReactNode;
  needs: Permission;
  /** Who has this works here: signing in leads to this page, and not to the first one that may be read. */
  work?: Permission;
  /** Who has this finds the page further down. */
  unless?: Permission;
  /** Who has the first permission needs one of these too. */
  also?: readonly Permission[];
  /** Pages of one group stand together, under its name. */
  group?: string;
}

/** A page that everybody has, whatever the role. */
export interface OwnPage {
  path: typeof paths.home | typeof paths.notifications | typeof paths.account;
  title: string;
  icon: ReactNode;
  group?: undefined;
}
