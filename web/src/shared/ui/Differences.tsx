import type { Line } from "../differences";
import "./differences.css";

const SIGNS: Record<Line["state"], string> = { removed: "−", added: "+", same: " " };
const SAID: Record<Line["state"], string> = { removed: "Removed: ", added: "Added: ", same: "" };

/** Lines of two texts, with what was removed and added. */
export function Differences({ lines }: { lines: readonly Line[] }) {
  return (
    <ol className="differences">
      {lines.map((line, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one comparison never move.
        <li key={place} className={`line-${line.state}`}>
          <span aria-hidden>{SIGNS[line.state]}</span>
          <code>
            <span className="sr-only">{SAID[line.state]}</span>
            {line.text}
          </code>
        </li>
      ))}
    </ol>
  );
}
