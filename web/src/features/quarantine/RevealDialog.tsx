import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { revealRecord } from "./queries";

interface DialogProps {
  id: string;
  onShown(raw: string): void;
  onClose(): void;
}

/** Shows a record as it was sent, for a reason that is kept; the server asks for a fresh proof of who asks. */
export function RevealDialog({ id, onShown, onClose }: DialogProps) {
  return (
    <ReasonDialog
      title="Show what was sent"
      text="The record may hold personal data. Your name and the reason are kept in the audit trail."
      okText="Show"
      least={5}
      onClose={onClose}
      onReason={async (reason) => onShown((await revealRecord(id, reason)).raw)}
    />
  );
}
