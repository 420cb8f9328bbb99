export interface Line {
  text: string;
  /** Only in the old text, only in the new one, or in both. */
  state: "removed" | "added" | "same";
}

const CELLS_MAX = 4_000_000;

/** What became of each line between two texts: the fewest lines removed and added. */
export function differences(old: string, next: string): Line[] {
  const [a, b] = [old.split("\n"), next.split("\n")];
  // Beyond this the page would stand still; such texts are shown one after the other.
  if (a.length * b.length > CELLS_MAX)
    return [
      ...a.map((text): Line => ({ text, state: "removed" })),
      ...b.map((text): Line => ({ text, state: "added" })),
    ];
  // longest[i][j]: how many lines a[i..] and b[j..] have in common, in order.
  const longest = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => longest[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      (longest[i] as number[])[j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ text: a[i] as string, state: "same" });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ text: a[i] as string, state: "removed" });
      i += 1;
    } else {
      lines.push({ text: b[j] as string, state: "added" });
      j += 1;
    }
  }
  return lines;
}
