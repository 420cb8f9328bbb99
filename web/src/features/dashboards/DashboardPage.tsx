import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { isProblem } from "../../api/problem";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { DashboardView } from "./DashboardView";
import { dashboardQuery } from "./queries";
import "./dashboards.css";
import "./paper.css";

/** One dashboard of somebody. */
export function DashboardPage() {
  const { id }: { id?: string } = useParams({ strict: false });
  const { data, error, isPending, refetch } = useQuery({
    ...dashboardQuery(id ?? ""),
    enabled: id !== undefined,
  });
  // Whoever it is not shared with any more sees that, and not what it showed before.
  const gone = isProblem(error, 404) || isProblem(error, 403);
  if (data && !gone) return <DashboardView key={data.id} dashboard={data} onChanged={() => void refetch()} />;
  return (
    <Page title="Dashboard">
      {isPending ? (
        <BlockSkeleton height={300} label="Loading the dashboard" />
      ) : gone ? (
        <EmptyState
          title="There is no such dashboard"
          action={<Link to={paths.dashboards}>Back to the dashboards</Link>}
        >
          It was deleted, or is not shared with you any more.
        </EmptyState>
      ) : (
        <FailureState what="The dashboard" error={error} onRetry={() => void refetch()} />
      )}
    </Page>
  );
}
