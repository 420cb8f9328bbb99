import type { Schema } from "../../api/client";
import { BlockSkeleton, EmptyState } from "../../shared/ui/states";
import { IncidentRow } from "./IncidentRow";

interface OpenProps {
  quality: Schema<"Quality"> | undefined;
  failed: boolean;
  onOpen(incident: string): void;
}

/** What is not as usual now, the newest first. */
export function OpenIncidents({ quality, failed, onOpen }: OpenProps) {
  if (failed) return null;
  let body = <BlockSkeleton height={96} label="Loading what is not as usual" />;
  if (quality && quality.incidents.length > 0) {
    body = (
      <ul aria-label="Open incidents">
        {quality.incidents.map((each) => (
          <IncidentRow key={each.id} incident={each} onOpen={() => onOpen(each.id)} />
        ))}
      </ul>
    );
  } else if (quality) {
    const learning = quality.contracts.some((each) => each.monitors_by_state.learning);
    const seen = quality.contracts.some((each) => Object.keys(each.monitors_by_state).length > 0);
    const judged = quality.contracts.some((each) => each.monitors_by_state.usual);
    const unusual = quality.contracts.some((each) => each.monitors_by_state.unusual);
    // Monitors that learn have judged nothing: what they see is not as usual for that.
    const title = unusual
      ? "Something may be unusual"
      : judged
        ? "Everything is as usual"
        : seen
          ? "Nothing is judged yet"
          : "Nothing is watched yet";
    body = (
      <EmptyState title={title}>
        {unusual
          ? "A monitor sees what it does not see usually. You are told here as soon as that lasts."
          : judged && !learning
            ? "Volume, pauses, refused and repeated records, empty fields, delays and distributions are within what this hour usually brings."
            : seen
              ? "Some monitors are still learning what is usual; it takes about five minutes of steady records."
              : "With the first records of a contract, Finer begins to learn what is usual for each of its fields, and tells you when they are not."}
      </EmptyState>
    );
  }
  return (
    <section className="part" aria-label="Not as usual now">
      <h2>
        Not as usual now{" "}
        {quality && quality.incidents.length > 0 ? (
          <span className="muted num">{quality.incidents.length}</span>
        ) : null}
      </h2>
      {body}
    </section>
  );
}
