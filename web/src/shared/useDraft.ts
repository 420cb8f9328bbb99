import { useRef, useState } from "react";

interface Source<Saved, Fields> {
  /** As it was last read: by itself every minute, or after it was saved. */
  newest: Saved;
  /** What of it is written here. */
  fields(of: Saved): Fields;
  /**
   * Differs as soon as somebody has saved it: what somebody else saved is then the writer's to choose. Without it, that
   * stands at once in every field in which nothing is written.
   */
  version?(of: Saved): string | number;
}

/** What a person writes over what is saved, also while it is being saved and while somebody else saves it. */
export function useDraft<Saved, Fields extends object>({ newest, fields, version }: Source<Saved, Fields>) {
  const [held, setHeld] = useState(newest);
  const [written, setWritten] = useState<Partial<Fields>>({});
  const [begun, setBegun] = useState(0);
  // What was last read when the writer saved: as long as nothing newer is read, it says nothing new.
  const [passed, setPassed] = useState<unknown>(null);
  const latest = useRef(written);
  latest.current = written;
  const read = version ? version(newest) : newest;
  const saved = fields(held);
  const draft = { ...saved, ...written };
  const unsaved = without(written, saved);
  const dirty = Object.keys(unsaved).length > 0;
  const late = read === passed;
  const other = !late && version !== undefined && read !== version(held);
  // The writer's own saving, read before it is answered, says the same as what stands here: there is nothing to choose.
  const contested = other && dirty && Object.keys(without(draft, fields(newest))).length > 0;
  if (passed !== null && !late) setPassed(null);
  if (!late && newest !== held && !contested) {
    setHeld(newest);
    setWritten(unsaved);
    if (other) setBegun(begun + 1);
  }
  return {
    /** What stands in the fields: what is saved, and over it what was written. */
    draft,
    /** Whether something is written that is not saved. */
    dirty,
    /** What it was begun from, or has been saved as since: it is compared with this, and saved over it. */
    held,
    /** What somebody else has made of it since something was written here, until the writer has chosen. */
    theirs: contested ? newest : undefined,
    /** Another number once what was written gave way: what keeps a text of its own begins anew. */
    begun,
    write: (more: Partial<Fields>) => setWritten((now) => ({ ...now, ...more })),
    /** Tells what the server made of what was sent. What was written since stays; false where there is some. */
    settle: (sent: Fields, answered: Saved) => {
      setPassed(read);
      setHeld(answered);
      setWritten((now) => without(now, sent));
      return Object.keys(without(latest.current, sent)).length === 0;
    },
    /** Gives up what is written. */
    take: () => {
      setWritten({});
      setBegun((now) => now + 1);
    },
    /** Writes all that stands in the fields over what somebody else has made of it. */
    keep: () => {
      setWritten(draft);
      setHeld(newest);
    },
  };
}

/** What was written, without what says the same as `known`. */
function without<Fields extends object>(written: Partial<Fields>, known: Fields): Partial<Fields> {
  const same = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) === JSON.stringify(known[name as keyof Fields]);
  return Object.fromEntries(Object.entries(written).filter((one) => !same(one))) as Partial<Fields>;
}
