import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { CSV_ONLY, FileDialog } from "../../../shared/ui/FileDialog";
import { SideDrawer } from "../../../shared/ui/SideDrawer";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { TableBox } from "../../../shared/ui/TableBox";
import { ActionTag, StateTag } from "../../../shared/ui/tags";
import { Amount, When } from "../../../shared/ui/values";
import { DEFAULT_FILTER, toSearch as toAlerts } from "../filter";
import {
  exportPayments,
  type OutcomeKind,
  type Payment,
  type Performance,
  paymentsQuery,
  type View,
} from "./queries";

const WORDS: Record<OutcomeKind, string> = {
  hits: "Hits",
  blocks: "Blocked",
  fraud: "Known fraud among the hits",
  legitimate: "Hits that were judged good",
  unjudged: "Hits that nobody has judged",
  missed: "Known fraud that was missed",
  protected: "Known fraud that was blocked",
};

/** The payments behind a number. */
export function PaymentsDrawer({
  of,
  view,
  onClose,
}: {
  of: Performance | undefined;
  view: View;
  onClose(): void;
}) {
  const { may, timeZone } = useSession();
  const [exporting, setExporting] = useState(false);
  const query = useInfiniteQuery(paymentsQuery(of, view));
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const source = of?.sources.find((one) => one.source === view.source && one.name === view.name);
  const title = view.outcome ? WORDS[view.outcome] : "";
  return (
    <SideDrawer
      open={view.outcome !== undefined}
      onClose={onClose}
      size={860}
      title={source && source.source !== "all" ? `${title}: ${source.title}` : title}
      extra={
        rows.length > 0 && may(permission.exportDecisions) ? (
          <Button onClick={() => setExporting(true)}>Export CSV …</Button>
        ) : null
      }
    >
      <NotYet query={query} what="The payments" rows={8} height={40} />
      {query.data && rows.length === 0 ? (
        <EmptyState title="There is no such payment">
          Nothing of this kind was known at that moment.
        </EmptyState>
      ) : null}
      {rows.length > 0 ? <Payments rows={rows} /> : null}
      {query.hasNextPage ? (
        <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
          Show more
        </Button>
      ) : null}
      {exporting && view.outcome ? (
        <FileDialog
          title="Export payments"
          name={view.outcome}
          formats={CSV_ONLY}
          take={(_, reason) => exportPayments(view, timeZone, reason)}
          onClose={() => setExporting(false)}
        >
          All payments behind this number, the newest first, at most 20,000. The export is written down in the
          audit trail.
        </FileDialog>
      ) : null}
    </SideDrawer>
  );
}

function Payments({ rows }: { rows: readonly Payment[] }) {
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Paid</th>
            <th scope="col" className="right">
              Amount
            </th>
            <th scope="col">Merchant</th>
            <th scope="col">Decided</th>
            <th scope="col">Known</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.event_id}>
              <th scope="row">
                <When at={one.occurred_at} />
                <Link
                  className="performance-under"
                  to={paths.fraud}
                  search={toAlerts({ ...DEFAULT_FILTER, state: "all", q: one.event_id })}
                >
                  Look for its alert
                </Link>
              </th>
              <td className="right">
                <Amount money={one.amount} />
              </td>
              <td>
                {one.merchant_name ?? "–"}
                <span className="muted performance-under">
                  {[one.merchant_country, one.channel].filter(Boolean).join(", ")}
                </span>
              </td>
              <td>
                <ActionTag action={one.action} />
                <span className="muted performance-under">{one.rules.join(", ") || "no rule"}</span>
              </td>
              <td>
                {one.verdict === null ? "–" : <StateTag state={one.verdict} />}
                {one.known_at ? (
                  <span className="muted performance-under">
                    <When at={one.known_at} />
                  </span>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
