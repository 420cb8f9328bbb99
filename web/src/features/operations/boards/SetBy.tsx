import { When } from "../../../shared/ui/values";
import type { Targets } from "./queries";

/** Who set what the firm wants to reach, and when. */
export function SetBy({ targets }: { targets: Targets }) {
  if (!targets.changed_at) return <>Nobody has set any yet.</>;
  return (
    <>
      Set by {targets.changed_by} <When at={targets.changed_at} />.
    </>
  );
}
