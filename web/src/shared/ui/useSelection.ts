import { useCallback, useMemo, useRef, useState } from "react";
import type { Selection } from "./grid";

/** Which rows are chosen. Rows that leave the list leave the choice. */
export function useSelection(keys: readonly string[]): Selection & { clear(): void } {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | null>(null);
  const present = useMemo(() => {
    if (chosen.size === 0) return chosen;
    const known = new Set(keys);
    return new Set([...chosen].filter((key) => known.has(key)));
  }, [chosen, keys]);

  const toggle = useCallback(
    (key: string, range: boolean) => {
      setChosen((before) => {
        const next = new Set(before);
        const checked = !before.has(key);
        const from = anchor.current === null ? -1 : keys.indexOf(anchor.current);
        const to = keys.indexOf(key);
        const touched = range && from >= 0 ? keys.slice(Math.min(from, to), Math.max(from, to) + 1) : [key];
        for (const each of touched) checked ? next.add(each) : next.delete(each);
        return next;
      });
      anchor.current = key;
    },
    [keys],
  );
  const all = useCallback((checked: boolean) => setChosen(new Set(checked ? keys : [])), [keys]);
  const clear = useCallback(() => setChosen(new Set()), []);
  return { keys: present, toggle, all, clear };
}
