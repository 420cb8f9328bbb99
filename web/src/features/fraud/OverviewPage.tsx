import { useQuery } from "@tanstack/react-query";
import { shortMoney } from "../../shared/money";
import { count } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { Tile } from "../../shared/ui/Tile";
import { AsOf } from "../../shared/ui/values";
import { summaryQuery } from "./queries";
import "./fraud.css";

/** The firm's fraud in numbers, for those who see numbers and no rows. */
export function OverviewPage() {
  const { me } = useSession();
  const { data, error, isPending, refetch } = useQuery(summaryQuery);
  const failed = data ? null : error;
  const common = { loading: isPending && !failed, error: failed, onRetry: () => void refetch() };
  return (
    <Page title="Overview" aside={data ? <AsOf at={data.as_of} /> : null}>
      <div className="tiles overview-tiles">
        <Tile
          {...common}
          title="Open alerts"
          meaning="Alerts that nobody has judged yet, and the worth of their transactions."
          value={count(data?.open ?? 0)}
          note={data ? `${shortMoney(data.open_amount_usd)} at stake` : null}
        />
        <Tile
          {...common}
          title="Blocked today"
          meaning="Transactions that Finer stopped since midnight in your firm's time zone."
          value={count(data?.blocked_today ?? 0)}
          note={data ? `${shortMoney(data.in_review_usd)} in review` : null}
        />
        <Tile
          {...common}
          title="Confirmed fraud"
          meaning="Alerts that a person confirmed."
          value={count(data?.confirmed ?? 0)}
          note={data ? `${count(data.dismissed)} dismissed` : null}
        />
        <Tile
          {...common}
          title="Protected so far"
          meaning="The worth of blocked transactions that a person confirmed as fraud: money that did not leave."
          value={data ? shortMoney(data.protected_usd) : "–"}
        />
      </div>
      <p className="muted">
        Your role at {me.tenant.name} sees numbers; single alerts and customers are for the people who work on
        them. The pages of the navigation are the others that are open to you.
      </p>
    </Page>
  );
}
