import { Alert, Button } from "antd";
import { Fragment, type ReactNode, useState } from "react";

interface OvertakenProps<Thing> {
  /** As it was last read: by itself every minute, or after it was saved. */
  newest: Thing;
  /** Differs as soon as somebody has saved it. */
  version(of: Thing): string;
  /** "segment" */
  what: string;
  /** All that it says, by the name of the part: what somebody else has changed of it is shown. */
  says(of: Thing): Record<string, string>;
  /** The editor of `held`, which saves over `base` and tells whether something is written in it. */
  children(held: Thing, base: Thing, onWriting: (writing: boolean) => void): ReactNode;
}

/**
 * Around an editor of what several people change. A version of somebody else takes its place only where nothing is
 * written; else both are kept, and whoever wrote chooses.
 */
export function Overtaken<Thing>({ newest, version, what, says, children }: OvertakenProps<Thing>) {
  const [held, setHeld] = useState(newest);
  const [base, setBase] = useState(newest);
  const [writing, setWriting] = useState(false);
  const other = version(newest) !== version(held);
  if (newest !== held && !(other && writing)) setHeld(newest);
  if (newest !== base && !(other && writing)) setBase(newest);
  return (
    <>
      {other && writing && version(base) !== version(newest) ? (
        <Alert
          type="warning"
          showIcon
          title={`Somebody changed the ${what} while you wrote`}
          description={<Changes before={says(base)} now={says(newest)} />}
          action={
            <>
              <Button onClick={() => setWriting(false)}>Take theirs</Button>{" "}
              <Button onClick={() => setBase(newest)}>Keep mine</Button>
            </>
          }
        />
      ) : null}
      <Fragment key={version(other && writing ? held : newest)}>{children(held, base, setWriting)}</Fragment>
    </>
  );
}

function Changes({ before, now }: { before: Record<string, string>; now: Record<string, string> }) {
  const changed = Object.entries(now).filter(([part, text]) => text !== before[part]);
  if (changed.length === 0) return "It says what it said.";
  return (
    <dl className="overtaken">
      {changed.map(([part, text]) => (
        <Fragment key={part}>
          <dt>{part}</dt>
          <dd>{text || "nothing"}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
