import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { NotYet } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { membersQuery, type Segment } from "./queries";

/** Who is in a segment, once somebody wants to see them: that they looked is written down. */
export function MemberList({ segment }: { segment: Segment }) {
  const [asked, setAsked] = useState(false);
  return (
    <section className="segments-box segments-members" aria-label="Who is in it">
      <header>
        <h2>Who is in it</h2>
        {asked ? null : <Button onClick={() => setAsked(true)}>Show people</Button>}
      </header>
      {asked ? (
        <People segment={segment} />
      ) : (
        <p className="muted">People as your role sees them. That you looked is in the audit trail.</p>
      )}
    </section>
  );
}

function People({ segment }: { segment: Segment }) {
  const query = useInfiniteQuery(membersQuery(segment));
  const first = query.data?.pages[0];
  if (!first) return <NotYet query={query} what="The people" rows={6} height={34} />;
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (rows.length === 0) return <p className="muted">Nobody is in it now.</p>;
  return (
    <>
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              {first.columns.map(({ name, shown }) => (
                <th key={name} scope="col" title={HINTS[shown]}>
                  {name.replaceAll("_", " ")}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row[0])}>
                {row.map((value, i) => (
                  <td key={first.columns[i]?.name}>
                    {value === null ? <span className="muted">–</span> : String(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {query.hasNextPage ? (
        <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {query.isFetchNextPageError ? "The next people could not be loaded. Try again" : "More people"}
        </Button>
      ) : null}
    </>
  );
}

const HINTS: Record<string, string> = {
  clear: "Shown as it is",
  part: "Shown in part",
  token: "A token that stands for one customer",
};
