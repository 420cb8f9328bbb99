import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { type Act, discardAll, type Selection } from "./queries";

interface DialogProps {
  selection: Selection;
  carryOut(begin: () => Promise<Act>): Promise<boolean>;
  onClose(): void;
}

/** Gives records up, for a reason that is kept. */
export function DiscardDialog({ selection, carryOut, onClose }: DialogProps) {
  return (
    <ReasonDialog
      title="Discard these records?"
      text="They are kept for 30 days and can be put back until then. The reason is audited."
      okText="Discard"
      danger
      least={5}
      onClose={onClose}
      onReason={(reason) => carryOut(() => discardAll(selection, reason))}
    />
  );
}
