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

export interface Draft<Saved, Fields> {
  /** What stands in the fields: what is saved, and over it what was written. */
  draft: Fields;
  /** Whether something is written that is not saved. */
  dirty: boolean;
  /** What it was begun from, or has been saved as since: what is written is compared with this. */
  held: Saved;
  /** What it saves over: another version than `held` where the writer keeps to what they wrote. */
  over: Saved;
  /** What somebody else has made of it while something was written here, until the writer has chosen. */
  theirs: Saved | undefined;
  /** Another number once other text stands in the fields than was written: what keeps a text itself begins anew. */
  begun: number;
  write(fields: Partial<Fields>): void;
  /** Tells what the server made of what was sent. What was written since stays; false where there is some. */
  settle(sent: Fields, saved: Saved): boolean;
  /** Gives up what is written. */
  take(): void;
  /** Saves over what somebody else has made of it. */
  keep(): void;
}

/** What a person writes over what is saved, also while it is being saved and while somebody else saves it. */
export function useDraft<Saved, Fields extends object>(source: Source<Saved, Fields>): Draft<Saved, Fields> {
  const { newest, fields, version } = source;
  const [held, setHeld] = useState(newest);
  const [over, setOver] = useState(newest);
  const [written, setWritten] = useState<Partial<Fields>>({});
  const [begun, setBegun] = useState(0);
  // What was last read when the writer saved: as long as nothing newer is read, it says nothing new.
  const [passed, setPassed] = useState<{ mark: unknown } | null>(null);
  const latest = useRef(written);
  latest.current = written;
  const mark = (of: Saved): unknown => (version ? version(of) : of);
  const saved = fields(held);
  const unsaved = without(written, saved);
  const dirty = Object.keys(unsaved).length > 0;
  const late = passed !== null && passed.mark === mark(newest);
  const other = !late && version !== undefined && version(newest) !== version(held);
  if (passed && !late) setPassed(null);
  if (!late && newest !== held && !(other && dirty)) {
    setHeld(newest);
    setOver(newest);
    setWritten(unsaved);
    if (other) setBegun(begun + 1);
  }
  return {
    draft: { ...saved, ...written },
    dirty,
    held,
    over,
    theirs: other && dirty && version(newest) !== version(over) ? newest : undefined,
    begun,
    write: (more) => setWritten((now) => ({ ...now, ...more })),
    settle: (sent, answered) => {
      setPassed({ mark: mark(newest) });
      setHeld(answered);
      setOver(answered);
      setWritten((now) => without(now, sent));
      return Object.keys(without(latest.current, sent)).length === 0;
    },
    take: () => {
      setWritten({});
      setBegun((now) => now + 1);
    },
    keep: () => setOver(newest),
  };
}

/** What was written, without what says the same as `known`. */
function without<Fields extends object>(written: Partial<Fields>, known: Fields): Partial<Fields> {
  const same = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) === JSON.stringify(known[name as keyof Fields]);
  return Object.fromEntries(Object.entries(written).filter((one) => !same(one))) as Partial<Fields>;
}
