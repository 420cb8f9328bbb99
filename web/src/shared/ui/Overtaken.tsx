import { Alert, Button } from "antd";
import { Fragment } from "react";
import { differences } from "../differences";
import { Differences } from "./Differences";

interface OvertakenProps<Saved> {
  /** Of useDraft. */
  editing: { held: Saved; theirs: Saved | undefined; take(): void; keep(): void };
  /** "segment" */
  what: string;
  /** All that it says, by the name of the part: what somebody else has changed of it is shown. */
  says(of: Saved): Record<string, string>;
}

/** Above an editor of what several people change: what somebody else has made of it meanwhile, for the writer to choose. */
export function Overtaken<Saved>({ editing, what, says }: OvertakenProps<Saved>) {
  const { theirs, held, take, keep } = editing;
  if (theirs === undefined) return null;
  return (
    <Alert
      type="warning"
      showIcon
      title={`Somebody changed the ${what} while you wrote`}
      // The buttons stand below: beside it they would leave a phone no room for what changed.
      description={
        <>
          <Changes before={says(held)} now={says(theirs)} />
          <Button onClick={take}>Take theirs</Button> <Button onClick={keep}>Keep mine</Button>
        </>
      }
    />
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
