import { Tag } from "../../shared/ui/tags";
import type { Comparison } from "./queries";

const TONES: Record<string, string> = { major: "block", minor: "review", patch: "quiet", none: "quiet" };
const WORDS: Record<string, string> = { major: "Breaking", minor: "New meaning", patch: "Other words" };

/** What differs between two versions, a sentence for each change, the gravest first. */
export function Changes({ comparison }: { comparison: Comparison }) {
  if (comparison.changes.length === 0) return <p className="muted">Nothing differs.</p>;
  return (
    <>
      <p>
        {comparison.backward
          ? "Senders may go on as they are."
          : "Some records that are accepted today would be quarantined."}{" "}
        {comparison.forward ? "Readers may go on as they are." : "Readers may meet what they do not know."}{" "}
        <span className="muted">
          It needs at least version <span className="num">{comparison.lowest_version}</span>.
        </span>
      </p>
      <ul className="contracts-changes">
        {comparison.changes.map((one) => (
          <li key={`${one.field} ${one.kind} ${one.sentence}`}>
            <Tag word={WORDS[one.level] ?? one.level} tone={TONES[one.level] ?? "quiet"} />
            <span>{one.sentence}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
