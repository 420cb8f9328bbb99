import { DownloadOutlined } from "@ant-design/icons";
import { App, Button, Tooltip } from "antd";
import { useEffect, useRef, useState } from "react";
import { download } from "../../shared/csv";
import { count, counted } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { reasonOf } from "../../shared/ui/states";
import { EXPORT_LIMIT, exportAlerts } from "./exportAlerts";
import type { Filter } from "./filter";

/** Downloads the alerts of the filter at hand; can be stopped. */
export function ExportButton({ filter }: { filter: Filter }) {
  const { timeZone } = useSession();
  const { message } = App.useApp();
  const running = useRef<AbortController | null>(null);
  const [rows, setRows] = useState<number | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async () => {
    const control = new AbortController();
    running.current = control;
    setRows(0);
    try {
      const done = await exportAlerts(filter, timeZone, control.signal, setRows);
      download(`alerts-${new Date().toISOString().slice(0, 16).replace(":", "")}.csv`, done.text);
      if (done.complete) message.success(`${counted(done.rows, "alert")} exported.`);
      else
        message.warning(
          `The first ${count(EXPORT_LIMIT)} alerts were exported; narrow the filter for the rest.`,
          8,
        );
    } catch (error) {
      if (!control.signal.aborted) message.error(`The export stopped. ${reasonOf(error)}`, 8);
    } finally {
      running.current = null;
      setRows(null);
    }
  };

  if (rows !== null) {
    return (
      <Button onClick={() => running.current?.abort()} aria-live="polite">
        {count(rows)} rows… Cancel
      </Button>
    );
  }
  return (
    <Tooltip title={`The alerts of this filter as CSV, at most ${count(EXPORT_LIMIT)}`}>
      <Button icon={<DownloadOutlined aria-hidden />} onClick={() => void start()} aria-label="Export CSV">
        <span className="wide-only">CSV</span>
      </Button>
    </Tooltip>
  );
}
