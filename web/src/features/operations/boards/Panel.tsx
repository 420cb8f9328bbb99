import { BarChartOutlined, TableOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { type ReactNode, useState } from "react";
import { BlockSkeleton, FailureState } from "../../../shared/ui/states";
import type { Part } from "./useBoard";

interface PanelProps extends Part {
  title: string;
  about: string;
  /** Stands above the chart and the table alike. */
  lead?: ReactNode;
  chart?: ReactNode;
  table: ReactNode;
}

/** One tile of a dashboard that can fail and be read alone; a chart has the same numbers as a table. */
export function Panel({ title, about, empty, lead, chart, table, ...part }: PanelProps) {
  const { loading, error, failed, onRetry } = part;
  const [asTable, setAsTable] = useState(false);
  let body: ReactNode = chart && !asTable ? chart : table;
  if (error || failed)
    body = <FailureState what={title} error={error || new Error("This part failed.")} onRetry={onRetry} />;
  else if (loading) body = <BlockSkeleton height={240} label={`Loading ${title}`} />;
  else if (empty)
    body = (
      <div className="state">
        <p className="state-text">{empty}</p>
      </div>
    );
  const shown = chart && !error && !failed && !loading && !empty;
  return (
    <section className="part board-panel" aria-label={title}>
      <div className="board-panel-head">
        <h2>
          {title} <span className="muted">{about}</span>
        </h2>
        {shown ? (
          <Button
            type="text"
            size="small"
            icon={asTable ? <BarChartOutlined aria-hidden /> : <TableOutlined aria-hidden />}
            aria-label={asTable ? `${title} as a chart` : `${title} as a table`}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          />
        ) : null}
      </div>
      {lead && !error && !failed && !loading ? lead : null}
      {body}
    </section>
  );
}
