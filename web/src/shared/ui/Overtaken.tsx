import { Alert, Button } from "antd";
import { Fragment, type ReactNode, useState } from "react";
import { differences } from "../differences";
import { Differences } from "./Differences";

/** What an editor is told by what stands around it. */
export interface Editing<Thing> {
  /** What it was begun from, or has saved since: what is written is compared with this. */
  held: Thing;
  /** What it saves over: another version than `held` where the writer keeps to what they wrote. */
  over: Thing;
  /** Tells whether something is written that is not saved. */
  onWriting(writing: boolean): void;
  /** Tells what became of it by its own saving. What was typed meanwhile stays in the editor, and counts as unsaved. */
  onSaved(saved: Thing): void;
}

interface OvertakenProps<Thing> {
  /** As it was last read: by itself every minute, or after it was saved. */
  newest: Thing;
  /** Differs as soon as somebody has saved it. */
  version(of: Thing): string;
  /** "segment" */
  what: string;
  /** All that it says, by the name of the part: what somebody else has changed of it is shown. */
  says(of: Thing): Record<string, string>;
  children(editing: Editing<Thing>): ReactNode;
}

/**
 * Around an editor of what several people change. A version of somebody else takes its place only where nothing is
 * written; else both are kept, and whoever wrote chooses.
 */
export function Overtaken<Thing>({ newest, version, what, says, children }: OvertakenProps<Thing>) {
  const [held, setHeld] = useState(newest);
  const [over, setOver] = useState(newest);
  const [writing, setWriting] = useState(false);
  // A new number begins the editor anew.
  const [begun, setBegun] = useState(0);
  // What was last read when the writer saved: as long as nothing newer is read, it says nothing new.
  const [passed, setPassed] = useState<string | null>(null);
  const late = version(newest) === passed;
  if (passed !== null && !late) setPassed(null);
  const other = !late && version(newest) !== version(held);
  if (!late && !(other && writing)) {
    if (newest !== held) setHeld(newest);
    if (newest !== over) setOver(newest);
    if (other) setBegun(begun + 1);
  }
  const onSaved = (saved: Thing) => {
    setPassed(version(newest));
    setHeld(saved);
    setOver(saved);
  };
  return (
    <>
      {other && writing && version(over) !== version(newest) ? (
        <Alert
          type="warning"
          showIcon
          title={`Somebody changed the ${what} while you wrote`}
          // The buttons stand below: beside it they would leave a phone no room for what changed.
          description={
            <>
              <Changes before={says(over)} now={says(newest)} />
              <Button onClick={() => setWriting(false)}>Take theirs</Button>{" "}
              <Button onClick={() => setOver(newest)}>Keep mine</Button>
            </>
          }
        />
      ) : null}
      <Fragment key={begun}>{children({ held, over, onWriting: setWriting, onSaved })}</Fragment>
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
          <dd>
            <Changed before={before[part] ?? ""} now={text} />
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** A word or a sentence as it is now; of a long text the lines that changed. */
function Changed({ before, now }: { before: string; now: string }) {
  if (!now.includes("\n")) return now || "nothing";
  return <Differences lines={differences(before, now).filter(({ state }) => state !== "same")} />;
}
