import { FileDialog } from "../../../shared/ui/FileDialog";
import { type AuditFilter, isNarrowed } from "./filter";
import { exportTrail } from "./queries";

const FORMATS = [
  { value: "csv", label: "CSV (for spreadsheets)" },
  { value: "jsonl", label: "JSON lines (for programs)" },
] as const;

/** The listed entries as a file; that somebody took them is an entry itself. */
export function ExportDialog({ filter, onClose }: { filter: AuditFilter; onClose(): void }) {
  return (
    <FileDialog
      title="Export the audit trail"
      name="audit"
      formats={FORMATS}
      take={(format, reason) => exportTrail(filter, format, reason)}
      onClose={onClose}
    >
      {isNarrowed(filter)
        ? "The entries that your filter shows, the oldest first."
        : "Every entry, the oldest first."}{" "}
      At most 100,000; the export itself is written down.
    </FileDialog>
  );
}
