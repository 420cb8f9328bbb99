import { count, duration } from "../../shared/numbers";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import type { PartProps } from "./part";

/** Rows that take longer than this into a table of the lake call it behind. */
const BEHIND_S = 60;

/** How old the newest row of each table of the lake is. */
export function FreshnessTable({ data, error, onRetry }: PartProps) {
  let body = <BlockSkeleton height={220} label="Loading the freshness" />;
  if (error) body = <FailureState what="The freshness" error={error} onRetry={onRetry} />;
  else if (data && data.freshness.length === 0) {
    body = (
      <EmptyState title="The lake is empty">Its tables appear with the first accepted records.</EmptyState>
    );
  } else if (data) {
    body = (
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col" className="right">
                Rows
              </th>
              <th scope="col" className="right">
                Newest
              </th>
              <th scope="col" className="right">
                Age
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {data.freshness.map((each) => (
              <tr key={each.table}>
                <th scope="row">
                  <code>{each.table}</code>
                </th>
                <td className="right num">{count(each.rows)}</td>
                <td className="right">{each.newest ? <When at={each.newest} /> : "–"}</td>
                <td className="right num">{duration(each.seconds)}</td>
                <td>
                  <Freshness delay={each.rows === 0 ? null : (each.delay_s ?? each.seconds)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    );
  }
  return (
    <section className="part" aria-label="Freshness">
      <h2>
        Freshness <span className="muted">of the lake, by table</span>
      </h2>
      {body}
    </section>
  );
}

/** Judged by how long rows take into the lake: a source that is merely quiet makes its table old, not slow. */
function Freshness({ delay }: { delay: number | null }) {
  if (delay === null) return <Tag word="Empty" tone="quiet" />;
  return delay < BEHIND_S ? <Tag word="Fresh" tone="approve" /> : <Tag word="Behind" tone="review" />;
}
