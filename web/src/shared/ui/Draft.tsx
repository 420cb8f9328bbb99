import { type ReactNode, useEffect, useRef, useState } from "react";

interface DraftProps {
  value: string;
  onCommit(value: string): void;
  render(value: string, change: (value: string) => void, commit: () => void): ReactNode;
}

/** A text that counts once typing stops: the list is not fetched for every letter. */
export function Draft({ value, onCommit, render }: DraftProps) {
  const [draft, setDraft] = useState(value);
  const [from, setFrom] = useState(value);
  if (from !== value) {
    setFrom(value);
    setDraft(value);
  }
  const commit = () => {
    if (draft !== value) onCommit(draft);
  };
  const latest = useRef(commit);
  latest.current = commit;
  // biome-ignore lint/correctness/useExhaustiveDependencies: every letter starts the wait anew.
  useEffect(() => {
    const timer = setTimeout(() => latest.current(), 400);
    return () => clearTimeout(timer);
  }, [draft]);
  return render(draft, setDraft, commit);
}
