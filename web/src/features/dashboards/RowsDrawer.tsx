import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { count } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { cellText } from "./figures";
import { PAGE_ROWS, rowsQuery, type Tile } from "./queries";

/** Every row of the result behind a tile, page by page, and the way to the query itself. */
export function RowsDrawer({ dashboard, tile, onClose }: { dashboard: string; tile: Tile; onClose(): void }) {
  const [offset, setOffset] = useState(0);
  const { timeZone } = useSession();
  const query = useQuery(rowsQuery(dashboard, tile.id, offset));
  const page = query.data;
  return (
    <SideDrawer
      open
      size="min(920px, 100vw)"
      title={tile.title}
      onClose={onClose}
      extra={
        <Link to={paths.sql} search={{ saved: tile.query?.saved }}>
          Open in SQL
        </Link>
      }
    >
      {query.error && !page ? (
        <FailureState what="The rows" error={query.error} onRetry={() => void query.refetch()} />
      ) : !page ? (
        <RowsSkeleton rows={10} height={28} label="Loading rows" />
      ) : (
        <>
          <div className="table-scroll">
            <table className="table">
              <thead>
                <tr>
                  {page.columns.map((column, at) => (
                    <th
                      // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name.
                      key={at}
                      scope="col"
                      className={column.type === "number" ? "right" : undefined}
                    >
                      {column.name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {page.items.map((row, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no name.
                  <tr key={at}>
                    {page.columns.map((column, place) => (
                      <td
                        // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                        key={place}
                        className={column.type === "number" ? "right num" : undefined}
                      >
                        {cellText(row[place], column.type, PLAIN, timeZone)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className="muted dash-pages">
            {page.total === 0
              ? "The result has no rows."
              : `Rows ${count(offset + 1)} to ${count(offset + page.items.length)} of ${count(page.total)}`}
            <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE_ROWS))}>
              Before
            </Button>
            <Button disabled={page.next === null} onClick={() => setOffset(page.next ?? 0)}>
              Next
            </Button>
          </p>
        </>
      )}
    </SideDrawer>
  );
}

/** How cells of a plain result are shown: without a currency. */
const PLAIN = {
  state: "shown" as const,
  as_of: null,
  problem: "",
  refreshing: false,
  columns: [],
  rows: [],
  total: 0,
  value: null,
  change: null,
  currency: "",
  exponent: 0,
  unfiltered: [],
  behind_since: null,
};
