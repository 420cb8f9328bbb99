import { Button } from "antd";
import { count, duration } from "../../shared/numbers";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { When } from "../../shared/ui/values";
import { WhereFrom } from "../../shared/ui/WhereFrom";
import type { Lake } from "./queries";
import { size } from "./words";

interface TableListProps {
  lake: Lake | undefined;
  error: unknown;
  onRetry(): void;
  onExport: ((table: string) => void) | undefined;
}

/** Every table: rows, room, files and how they are kept apart, and how old its newest row is. */
export function TableList({ lake, error, onRetry, onExport }: TableListProps) {
  let body = <BlockSkeleton height={260} label="Loading the tables" />;
  if (error) body = <FailureState what="The lake" error={error} onRetry={onRetry} />;
  else if (lake && lake.tables.length === 0)
    body = (
      <EmptyState title="The lake is empty" action={<WhereFrom />}>
        Accepted records and decisions are here within seconds, ready to be queried and exported.
      </EmptyState>
    );
  else if (lake) body = <Tables lake={lake} onExport={onExport} />;
  return (
    <section className="part" aria-label="Tables">
      <h2>
        Tables{" "}
        <span className="muted">
          {lake ? `in ${lake.storage === "folder" ? "a folder" : lake.storage}` : ""}
        </span>
      </h2>
      {body}
    </section>
  );
}

function Tables({ lake, onExport }: { lake: Lake; onExport: ((table: string) => void) | undefined }) {
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Table</th>
            {["Rows", "Columns", "Size", "Files", "Months", "Newest", "Age"].map((title) => (
              <th key={title} scope="col" className="right">
                {title}
              </th>
            ))}
            {onExport ? <th scope="col" aria-label="Export" /> : null}
          </tr>
        </thead>
        <tbody>
          {lake.tables.map((each) => (
            <tr key={each.name}>
              <th scope="row">
                <code>{each.name}</code>
              </th>
              <td className="right num">{count(each.rows)}</td>
              <td className="right num">{count(each.columns)}</td>
              <td className="right num">{size(each.bytes)}</td>
              <td className="right num">{count(each.files)}</td>
              <td className="right num">{each.months > 0 ? count(each.months) : "–"}</td>
              <td className="right">{each.freshness?.newest ? <When at={each.freshness.newest} /> : "–"}</td>
              <td className="right num">{each.freshness ? duration(each.freshness.seconds) : "–"}</td>
              {onExport ? (
                <td className="right">
                  <Button size="small" aria-label={`Export ${each.name}`} onClick={() => onExport(each.name)}>
                    Export
                  </Button>
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
