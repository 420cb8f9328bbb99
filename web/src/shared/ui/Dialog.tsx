import { Modal, type ModalProps } from "antd";
import { useEffect, useRef, useState } from "react";

const FIELD = "input:not([type=hidden], :disabled), textarea:not(:disabled)";

/** A dialog that is there while it is open: its first field takes the focus, and once it goes the focus is back where it was. */
export function Dialog({ children, afterOpenChange, ...props }: ModalProps) {
  const [before] = useState(() => document.activeElement);
  const body = useRef<HTMLDivElement>(null);
  useEffect(
    () => () => {
      // Later, when nothing holds the focus in the dialog any more; what was given the focus meanwhile keeps it.
      setTimeout(() => {
        const lost = document.activeElement === null || document.activeElement === document.body;
        if (lost && before instanceof HTMLElement && before.isConnected) before.focus();
      });
    },
    [before],
  );
  return (
    <Modal
      open
      {...props}
      afterOpenChange={(open) => {
        // What holds the focus in a dialog gives it to the cross in its corner, also where a field asked for it.
        const place = body.current;
        if (open && !place?.contains(document.activeElement))
          place?.querySelector<HTMLElement>(FIELD)?.focus();
        afterOpenChange?.(open);
      }}
    >
      <div ref={body}>{children}</div>
    </Modal>
  );
}
