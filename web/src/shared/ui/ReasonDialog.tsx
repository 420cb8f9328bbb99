import type { ReactNode } from "react";
import { FormDialog } from "./FormDialog";
import { ReasonField } from "./ReasonField";

interface ReasonDialogProps {
  title: string;
  text: ReactNode;
  okText: string;
  danger?: boolean;
  label?: string;
  hint?: string;
  /** How many letters a reason has at least. */
  least?: number;
  onClose(): void;
  onReason(reason: string): Promise<unknown>;
}

/** Asks why, then does it; what goes wrong is told in the dialog. */
export function ReasonDialog({ text, label, hint, least, onReason, ...dialog }: ReasonDialogProps) {
  return (
    <FormDialog<{ reason: string }> {...dialog} onSubmit={({ reason }) => onReason(reason)}>
      <p>{text}</p>
      <ReasonField label={label} hint={hint} least={least} />
    </FormDialog>
  );
}
