import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count, counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Sparkline } from "../../shared/ui/Sparkline";
import { Tile } from "../../shared/ui/Tile";
import { AsOf } from "../../shared/ui/values";
import { Worth } from "../../shared/ui/Worth";
import { useAlertStream } from "./alertStream";
import { DEFAULT_FILTER, type Filter, toSearch } from "./filter";
import { lastHour } from "./perMinute";
import { type Summary, summaryQuery } from "./queries";

/** The numbers above the list; each leads to the alerts it counts. */
export function SummaryTiles({ paused }: { paused: boolean }) {
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({ ...summaryQuery, enabled: !paused });
  useAlertStream({
    onSummary: (summary: Summary) => {
      if (!paused) client.setQueryData(summaryQuery.queryKey, summary);
    },
    onGap: () => void (paused || refetch()),
  });
  const failed = data ? null : error;
  const common = { loading: isPending && !failed, error: failed, onRetry: () => void refetch() };
  const perMinute = data ? lastHour(data) : [];
  const inAnHour = perMinute.reduce((sum, each) => sum + each, 0);
  return (
    <div className="tiles">
      <Tile
        {...common}
        title="Open alerts"
        meaning="Alerts that nobody has judged yet, and the worth of their transactions."
        value={<To filter={{}} text={count(data?.open ?? 0)} />}
        note={
          data ? (
            <>
              <Worth usd={data.open_amount_usd} /> at stake
            </>
          ) : null
        }
      />
      <Tile
        {...common}
        title="Blocked today"
        meaning="Transactions that Finer stopped since midnight UTC."
        value={
          <To
            filter={{ state: "all", action: "block", range: "custom", from: midnightUtc() }}
            text={count(data?.blocked_today ?? 0)}
          />
        }
        note={
          data ? (
            <To
              filter={{ action: "review" }}
              text={
                <>
                  <Worth usd={data.in_review_usd} /> in review
                </>
              }
            />
          ) : null
        }
      />
      <Tile
        {...common}
        title="Confirmed fraud"
        meaning="Alerts that a person confirmed."
        value={<To filter={{ state: "confirmed" }} text={count(data?.confirmed ?? 0)} />}
        note={
          data ? <To filter={{ state: "dismissed" }} text={`${count(data.dismissed)} dismissed`} /> : null
        }
      />
      <Tile
        {...common}
        title="Protected so far"
        meaning="The worth of blocked transactions that a person confirmed as fraud: money that did not leave."
        value={
          <To
            filter={{ state: "confirmed", action: "block" }}
            text={data ? <Worth usd={data.protected_usd} /> : "–"}
          />
        }
        note="blocked and confirmed"
      />
      <Tile
        {...common}
        title="Alerts per minute"
        meaning="Alerts raised in each of the last 60 minutes."
        value={<To filter={{ state: "all", range: "1h" }} text={count(perMinute.at(-1) ?? 0)} />}
        note={`${counted(inAnHour, "alert")} in the last hour`}
      >
        <Sparkline
          values={perMinute}
          label={`Alerts per minute over the last hour: now ${perMinute.at(-1) ?? 0}, at most ${Math.max(0, ...perMinute)}`}
        />
      </Tile>
    </div>
  );
}

/** Where the day begins by which the server counts, so that the list holds what the number says. */
function midnightUtc(): string {
  return `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`;
}

/** When the numbers were true. */
export function SummaryAsOf({ paused }: { paused: boolean }) {
  const { data } = useQuery({ ...summaryQuery, enabled: false });
  return <AsOf at={data?.as_of} staleAfterS={paused ? undefined : 90} />;
}

function To({ filter, text }: { filter: Partial<Filter>; text: ReactNode }) {
  return (
    <Link to={paths.fraud} search={toSearch({ ...DEFAULT_FILTER, ...filter })}>
      {text}
    </Link>
  );
}
