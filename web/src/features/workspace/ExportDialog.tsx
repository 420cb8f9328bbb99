import { FileDialog } from "../../shared/ui/FileDialog";
import { exportResult, type Run } from "./queries";

const FORMATS = [
  { value: "csv", label: "CSV (for spreadsheets)" },
  { value: "parquet", label: "Parquet (exact, small)" },
  { value: "arrow", label: "Arrow (for programs)" },
] as const;

/** Asks for a result as a file; a large one waits for somebody else first. */
export function ExportDialog({ run, onClose }: { run: Run; onClose(): void }) {
  return (
    <FileDialog
      title="Export the result"
      name={run.id}
      formats={FORMATS}
      take={(format, reason) => exportResult(run.id, format, reason)}
      onClose={onClose}
    />
  );
}
