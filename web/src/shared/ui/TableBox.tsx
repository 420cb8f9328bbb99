import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { useWidth } from "./useWidth";

interface TableBoxProps {
  className?: string;
  /** The name of a box that scrolls up and down, which makes it reachable by keyboard. */
  label?: string;
  children: ReactNode;
}

/**
 * Holds a table. Where that is wider than its place, each row is a card, whose cells say the name of their column: a
 * column that one has to scroll for is one that nobody sees.
 */
export function TableBox({ className = "", label, children }: TableBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [wanted, setWanted] = useState(0);
  const cards = wanted > width;
  // biome-ignore lint/correctness/useExhaustiveDependencies: in another width it may fit, or fit no more.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      if (!cards && element.scrollWidth > element.clientWidth) setWanted(element.scrollWidth);
      nameCells(element);
    };
    look();
    // Rows also come and go by themselves, without this box being drawn again.
    const watch = new MutationObserver(look);
    watch.observe(element, { childList: true, subtree: true, characterData: true });
    return () => watch.disconnect();
  }, [cards, width]);
  const scrolls = label ? { role: "region", tabIndex: 0, "aria-label": label } : {};
  return (
    <div ref={box} className={`table-scroll ${cards ? "cards " : ""}${className}`} {...scrolls}>
      {children}
    </div>
  );
}

/** Writes the name of its column into each cell, for when rows are cards. */
function nameCells(box: HTMLElement): void {
  const heads = [...box.querySelectorAll("thead th")].map((head) => head.textContent ?? "");
  for (const row of box.querySelectorAll("tbody tr")) {
    for (const [at, cell] of [...row.querySelectorAll<HTMLTableCellElement>("th, td")].entries()) {
      // What is said in the place of several columns is of none of them.
      cell.setAttribute("data-label", cell.colSpan > 1 ? "" : (heads[at] ?? ""));
    }
  }
}
