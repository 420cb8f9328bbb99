import { useQuery } from "@tanstack/react-query";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { sampleQuery } from "./queries";

/** The newest records, each value in the form that the viewer may see. */
export function SampleTable({ contract }: { contract: string }) {
  const { data, error, refetch } = useQuery(sampleQuery(contract));
  if (error && !data) return <FailureState what="The sample" error={error} onRetry={() => void refetch()} />;
  if (!data) return <RowsSkeleton rows={6} height={36} label="Loading the sample" />;
  const [first] = data;
  if (!first)
    return (
      <EmptyState title="No record has come in yet">
        Records are here a second after they were accepted. Send them to{" "}
        <code>/api/v1/events/{contract}</code>.
      </EmptyState>
    );
  return (
    <div className="table-scroll">
      <table className="table contracts-sample">
        <thead>
          <tr>
            {first.map((cell) => (
              <th key={cell.field} scope="col" title={`Data class: ${cell.data_class}`}>
                {cell.field}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.map((row) => (
            <tr key={row.find((cell) => cell.field === "event_id")?.value ?? JSON.stringify(row)}>
              {row.map((cell) => (
                <td key={cell.field}>{cell.value ?? <span className="muted">–</span>}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
