import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Button, Input } from "antd";
import { useState } from "react";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { type Dashboard, dashboardsQuery } from "./queries";
import { SettingsDialog } from "./SettingsDialog";
import "./dashboards.css";
import { useFailure } from "../../shared/useFailure";

const SHARED: Record<Dashboard["sharing"], string> = { own: "only you", team: "a team", tenant: "the firm" };

/** The dashboards that this person made, and those that are shared with them. */
export function DashboardsPage() {
  const { may } = useSession();
  const navigate = useNavigate();
  const query = useQuery(dashboardsQuery);
  const failure = useFailure(query, dashboardsQuery.queryKey);
  const [wanted, setWanted] = useState("");
  const [making, setMaking] = useState(false);
  const make = may(permission.writeDashboards) ? (
    <Button type="primary" onClick={() => setMaking(true)}>
      New dashboard
    </Button>
  ) : undefined;
  const words = wanted.trim().toLowerCase();
  const found = (query.data?.items ?? []).filter((one) =>
    `${one.name} ${one.description} ${one.owner_name}`.toLowerCase().includes(words),
  );
  let body = <RowsSkeleton rows={5} height={52} label="Loading dashboards" />;
  if (failure) {
    body = (
      <section className="part">
        <FailureState what="The dashboards" error={failure} onRetry={() => void query.refetch()} />
      </section>
    );
  } else if (query.data?.items.length === 0) {
    body = (
      <section className="part">
        <EmptyState title="No dashboards yet" action={make}>
          {make
            ? "Put metrics and saved queries that belong together on one page, and share it with your team or the firm."
            : "Metrics and saved queries that belong together are put on one page. Those that colleagues share with you are here."}
        </EmptyState>
      </section>
    );
  } else if (query.data) {
    body = (
      <section className="part" aria-label="Dashboards">
        <div className="dash-search">
          <Input.Search
            allowClear
            aria-label="Find a dashboard"
            placeholder="Name, purpose or owner"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        </div>
        {found.length === 0 ? (
          <p className="state-text dash-draft-note">No dashboard holds these words.</p>
        ) : null}
        <ul className="dash-list">
          {found.map((one) => (
            <li key={one.id}>
              <Link to={paths.dashboard} params={{ id: one.id }}>
                {one.name}
              </Link>
              {one.description ? <p>{one.description}</p> : null}
              <p className="muted">
                {counted(one.tiles.length, "tile")} · {one.mine ? "yours" : one.owner_name} · for{" "}
                {SHARED[one.sharing]} · changed <When at={one.changed_at} />
              </p>
            </li>
          ))}
        </ul>
      </section>
    );
  }
  return (
    <Page title="Dashboards" aside={query.data?.items.length ? make : null}>
      {body}
      {making ? (
        <SettingsDialog
          onClose={() => setMaking(false)}
          onSaved={(saved) =>
            void navigate({ to: paths.dashboard, params: { id: saved.id }, search: { edit: true } })
          }
        />
      ) : null}
    </Page>
  );
}
