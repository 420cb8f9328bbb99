import { ReloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { isProblem } from "../../api/problem";
import { SIGNED_OUT } from "../../api/signedOut";

/** Nothing to show: says what the place is for and holds one button. */
export function EmptyState({
  title,
  children,
  action,
}: {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      <p className="state-text">{children}</p>
      {action}
    </div>
  );
}

/** A part of a page that failed: says why and tries again alone. What is not there is not there the next time either. */
export function FailureState({ error, onRetry, what }: { error: unknown; onRetry(): void; what: string }) {
  if (isProblem(error, 404)) {
    return (
      <div className="state" role="alert">
        <p className="state-title">{what} could not be found</p>
        <p className="state-text">It was removed, or the address is mistyped.</p>
      </div>
    );
  }
  return (
    <div className="state" role="alert">
      <p className="state-title">{what} could not be loaded</p>
      <p className="state-text">{reasonOf(error)}</p>
      <Button icon={<ReloadOutlined aria-hidden />} onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

interface NotYetProps {
  query: { data: unknown; error: unknown; refetch(): unknown };
  /** "The rules": begins the sentence that says why they are not there. */
  what: string;
  /** Of the grey bars, in pixels: of each row where there are `rows`, else of them all. */
  height: number;
  rows?: number;
}

/** What stands in the place of something that was asked for and is not there: grey bars, or why it failed. */
export function NotYet({ query, what, height, rows }: NotYetProps) {
  if (query.data !== undefined) return null;
  if (query.error) {
    return <FailureState what={what} error={query.error} onRetry={() => void query.refetch()} />;
  }
  const label = `Loading ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
  return rows === undefined ? (
    <BlockSkeleton height={height} label={label} />
  ) : (
    <RowsSkeleton rows={rows} height={height} label={label} />
  );
}

interface LoadedProps<Data> extends NotYetProps {
  query: { data: Data | undefined; error: unknown; refetch(): unknown };
  children(data: Data): ReactNode;
}

/** What was asked for, once it is there; before that what stands for it, or why it failed. */
export function Loaded<Data>({ children, ...asked }: LoadedProps<Data>) {
  return asked.query.data === undefined ? <NotYet {...asked} /> : children(asked.query.data);
}

const DATABASE_GONE = "urn:finer:problem:database-gone";

/** Why something did not go, as a sentence for a person: what the server says, unless it speaks to programs. */
export function reasonOf(error: unknown): string {
  if (isProblem(error) && error.type === SIGNED_OUT)
    return "Your session has ended. Sign in again in another tab, and then do this once more: what you wrote is still here.";
  if (isProblem(error) && error.type === DATABASE_GONE)
    return "The database does not answer at this moment. Try again in a few seconds.";
  if (isProblem(error)) return error.message;
  return "Something in this page went wrong. Try again; if it stays, load the page anew.";
}

/** Grey bars where rows will be. */
export function RowsSkeleton({ rows, height, label }: { rows: number; height: number; label: string }) {
  return (
    <div role="status" aria-label={label} className="skeleton-rows">
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike and never move.
        <div key={i} style={{ height }} className="skeleton-row">
          <span className="bar" style={{ width: 60 }} />
          <span className="bar" style={{ width: 70 }} />
          <span className="bar" style={{ width: `${30 + ((i * 17) % 35)}%` }} />
          <span className="bar bar-end" style={{ width: 80 }} />
        </div>
      ))}
    </div>
  );
}

export function BlockSkeleton({ height, label }: { height: number; label: string }) {
  return (
    <div role="status" aria-label={label} style={{ height }} className="skeleton-block">
      <span className="bar" style={{ width: "45%" }} />
      <span className="bar" style={{ width: "70%" }} />
      <span className="bar" style={{ width: "60%" }} />
    </div>
  );
}
