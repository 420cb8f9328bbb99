import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Segmented } from "antd";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { Tag } from "../../shared/ui/tags";
import { AsOf, When } from "../../shared/ui/values";
import { type Hit, type HitPage, hitsQuery, listsQuery, QUEUES, type View } from "./queries";
import { STATES, score } from "./words";

/** Hits, the likeliest first. */
export function HitList({ view, go }: { view: View; go(view: View): void }) {
  const query = useInfiniteQuery(hitsQuery(view.queue));
  const pages = query.data?.pages;
  const counts = pages?.[0]?.counts;
  const rows = pages?.flatMap((page) => page.items) ?? [];
  const options = Object.entries(QUEUES).map(([value, { word, states }]) => ({
    value,
    label: counts ? `${word} ${count(sum(counts, states))}` : word,
  }));
  return (
    <section className="part" aria-label="Hits">
      <div className="screening-queues">
        <Segmented
          aria-label="Queue"
          value={view.queue}
          options={options}
          onChange={(queue) => go({ ...view, queue: String(queue), hit: undefined })}
        />
        <AsOf at={pages?.[0]?.as_of} staleAfterS={60} />
      </div>
      {query.error && !pages ? (
        <FailureState what="The hits" error={query.error} onRetry={() => void query.refetch()} />
      ) : null}
      {query.isPending ? <RowsSkeleton rows={6} height={48} label="Loading the hits" /> : null}
      {pages && rows.length === 0 ? <NoHit view={view} go={go} /> : null}
      {rows.length > 0 ? <Rows rows={rows} onOpen={(hit) => go({ ...view, hit: hit.id })} /> : null}
      {query.hasNextPage ? (
        <div className="grid-foot">
          <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
            Show more
          </Button>
        </div>
      ) : null}
    </section>
  );
}

/** Without a list there is nobody to find: says so, and leads to where lists are. */
function NoHit({ view, go }: { view: View; go(view: View): void }) {
  const { may } = useSession();
  const lists = useQuery(listsQuery);
  if (lists.isPending) return <RowsSkeleton rows={6} height={48} label="Loading the lists" />;
  // Where the lists could not be loaded, this says what it knows: that there is no hit.
  if (lists.data?.some((one) => one.version > 0) ?? true)
    return (
      <EmptyState title={view.queue === "open" ? "Nobody waits for a judgement" : "There is no such hit"}>
        Customers and payees are held against the lists as they come and as the lists change. Whoever is like
        an entry stands here until a person has judged it.
      </EmptyState>
    );
  return (
    <EmptyState
      title="Nobody is screened yet"
      action={
        <Button
          type={may(permission.listScreening) ? "primary" : "default"}
          onClick={() => go({ ...view, part: "lists", hit: undefined })}
        >
          {may(permission.listScreening) ? "Set up a list" : "See the lists"}
        </Button>
      }
    >
      Customers and payees are held against lists of sanctions, and no list has a file yet. With the first
      one, whoever is like an entry stands here until a person has judged it.
    </EmptyState>
  );
}

function sum(counts: HitPage["counts"], states: readonly Hit["state"][]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}

function Rows({ rows, onOpen }: { rows: readonly Hit[]; onOpen(hit: Hit): void }) {
  const { may } = useSession();
  const judges = may(permission.judgeScreening);
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Score</th>
            <th scope="col">Who</th>
            <th scope="col">Is like</th>
            <th scope="col">List</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.id}>
              <td className="num screening-score">{score(one.score)}</td>
              <th scope="row">
                {judges ? (
                  <Button type="link" className="screening-open" onClick={() => onOpen(one)}>
                    {one.subject_name ?? "hidden"}
                  </Button>
                ) : (
                  (one.subject_name ?? "hidden")
                )}
                <span className="muted screening-under">
                  {one.kind} {one.reference ?? "hidden"}
                </span>
              </th>
              <td>
                {one.entry_name}
                <span className="muted screening-under">{one.entry_id}</span>
              </td>
              <td>{one.list}</td>
              <td>
                <Tag {...STATES[one.state]} />
                {one.again ? <span className="muted screening-under">{one.again}</span> : null}
              </td>
              <td>
                <When at={one.created_at} />
                {one.judged_at ? (
                  <span className="muted screening-under">
                    judged <When at={one.judged_at} /> by {one.judged_by || "somebody"}
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
