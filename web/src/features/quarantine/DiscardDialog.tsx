import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { type Act, discardAll, type Selection } from "./queries";

interface DialogProps {
  selection: Selection;
  carryOut(begin: () => Promise<Act>): Promise<boolean>;
  onClose(): void;
}

/** Gives records up, for a reason that is kept. */
export function DiscardDialog({ selection, carryOut, onClose }: DialogProps) {
  const one = selection.ids?.length === 1;
  return (
    <ReasonDialog
      title={one ? "Discard this record?" : "Discard these records?"}
      text={`${one ? "It is" : "They are"} kept for 30 days and can be put back until then. The reason is audited.`}
      okText="Discard"
      danger
      least={5}
      onClose={onClose}
      onReason={(reason) => carryOut(() => discardAll(selection, reason))}
    />
  );
}
