import { ReloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { reasonOf } from "./states";

interface TileProps {
  title: string;
  /** What the number means, for the hover. */
  meaning: string;
  loading: boolean;
  error: unknown;
  onRetry(): void;
  value: ReactNode;
  note?: ReactNode;
  children?: ReactNode;
}

/** One number with its name. The value should be a link to the rows that it counts. */
export function Tile({ title, meaning, loading, error, onRetry, value, note, children }: TileProps) {
  return (
    <section className="tile" aria-label={title} aria-busy={loading}>
      <h2 title={meaning}>{title}</h2>
      {error ? (
        <div className="tile-failed" role="alert">
          <span title={reasonOf(error)}>Could not be loaded</span>
          <Button
            size="small"
            type="link"
            icon={<ReloadOutlined aria-hidden />}
            onClick={onRetry}
            aria-label={`Load ${title} again`}
          >
            Try again
          </Button>
        </div>
      ) : loading ? (
        <>
          <span className="bar tile-bar" />
          <span className="bar" style={{ width: "70%" }} />
        </>
      ) : (
        <>
          <div className="tile-value num">{value}</div>
          {note ? <div className="tile-note">{note}</div> : null}
          {children}
        </>
      )}
    </section>
  );
}
