import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { count } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Tile } from "../../shared/ui/Tile";
import { Worth } from "../../shared/ui/Worth";
import { DEFAULT_FILTER, type Filter, toSearch } from "./filter";
import { queueQuery } from "./queries";

/** The numbers above the queue; each leads to the cases it counts. */
export function QueueTiles() {
  const { data, error, isPending, refetch } = useQuery(queueQuery);
  const failed = data ? null : error;
  const common = { loading: isPending && !failed, error: failed, onRetry: () => void refetch() };
  return (
    <div className="tiles case-tiles">
      <Tile
        {...common}
        title="Open cases"
        meaning="Cases that nobody has closed yet, as far as you reach."
        value={<To filter={{}} of={data?.open} />}
        note={
          data ? (
            <>
              <Worth usd={data.expected_loss_usd} /> expected to be lost
            </>
          ) : null
        }
      />
      <Tile
        {...common}
        title="Overdue"
        meaning="Open cases whose due time is over. Queue settings says how long each priority has."
        value={<To filter={{ overdue: true }} of={data?.overdue} />}
        note="past their due time"
      />
      <Tile
        {...common}
        title="Mine"
        meaning="Open cases that you work on."
        value={<To filter={{ assignee: "me" }} of={data?.mine} />}
        note="with you"
      />
      <Tile
        {...common}
        title="Nobody's"
        meaning="Open cases that nobody and no team has taken."
        value={<To filter={{ assignee: "nobody" }} of={data?.unassigned} />}
        note="to be taken"
      />
    </div>
  );
}

function To({ filter, of }: { filter: Partial<Filter>; of: number | undefined }) {
  return (
    <Link to={paths.cases} search={toSearch({ ...DEFAULT_FILTER, ...filter })}>
      {count(of ?? 0)}
    </Link>
  );
}
