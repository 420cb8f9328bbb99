import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { NotYet } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { When } from "../../shared/ui/values";
import { type Lake, snapshotsQuery } from "./queries";

/** The states that the lake can be asked in again, the newest first. */
export function SnapshotList({ lake }: { lake: Lake | undefined }) {
  const query = useInfiniteQuery(snapshotsQuery);
  const found = query.data?.pages.flatMap((page) => page.items) ?? [];
  let body = <NotYet query={query} what="The snapshots" rows={4} height={36} />;
  if (query.data)
    body = (
      <>
        <TableBox>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Snapshot</th>
                <th scope="col">Since</th>
                <th scope="col">What changed</th>
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.id}>
                  <th scope="row" className="num">
                    {one.id}
                  </th>
                  <td>
                    <When at={one.at} />
                  </td>
                  <td>{one.changes.join(", ") || "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
        {query.hasNextPage ? (
          <div className="grid-foot">
            <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Older ones
            </Button>
          </div>
        ) : null}
      </>
    );
  return (
    <section className="part" aria-label="Snapshots">
      <h2>
        Snapshots{" "}
        <span className="muted">
          {lake?.oldest_snapshot ? (
            <>
              the lake can be asked as of any moment since <When at={lake.oldest_snapshot} />; kept for{" "}
              {lake.snapshots_keep_days} days
            </>
          ) : null}
        </span>
      </h2>
      {body}
    </section>
  );
}
