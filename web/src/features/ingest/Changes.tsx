import { Tag } from "../../shared/ui/tags";
import type { Comparison } from "./queries";
import { Impact } from "./ReaderList";

const TONES: Record<string, string> = { major: "block", minor: "review", patch: "quiet", none: "quiet" };
const IMPACTS_MAX = 12;
const WORDS: Record<string, string> = { major: "Breaking", minor: "New meaning", patch: "Other words" };

interface ChangesProps {
  comparison: Comparison;
  /** The contract, where what reads a changed field is to be said beside it. */
  impactOn?: string;
}

/** What differs between two versions, a sentence for each change, the gravest first. */
export function Changes({ comparison, impactOn }: ChangesProps) {
  const heavy = comparison.changes.filter((one) => one.field && one.level !== "patch");
  const fields = [...new Set(heavy.map((one) => one.field))].slice(0, IMPACTS_MAX);
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
      {impactOn && fields.length > 0 ? (
        <ul className="contracts-impact" aria-label="What reads the fields that change">
          {fields.map((field) => (
            <li key={field}>
              <Impact contract={impactOn} field={field} />
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
