import { DownloadOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { useState } from "react";
import { useSession } from "../../shared/session";
import { CSV_ONLY, FileDialog } from "../../shared/ui/FileDialog";
import type { Filter } from "./filter";
import { exportAlerts } from "./queries";

/** Takes the alerts of the filter at hand along as a file. */
export function ExportButton({ filter }: { filter: Filter }) {
  const { timeZone } = useSession();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Tooltip title="The alerts of this filter for a spreadsheet">
        <Button icon={<DownloadOutlined aria-hidden />} onClick={() => setOpen(true)} aria-label="Export CSV">
          <span className="wide-only">CSV</span>
        </Button>
      </Tooltip>
      {open ? (
        <FileDialog
          title="Export alerts"
          name={`alerts-${new Date().toISOString().slice(0, 16).replace(":", "")}`}
          formats={CSV_ONLY}
          take={(_, reason) => exportAlerts(filter, timeZone, reason)}
          onClose={() => setOpen(false)}
        >
          The alerts of your filter, in its order and as you see them, at most 100,000. The export is written
          down in the audit trail.
        </FileDialog>
      ) : null}
    </>
  );
}
