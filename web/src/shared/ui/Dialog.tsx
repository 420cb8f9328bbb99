import { Modal, type ModalProps } from "antd";
import { useEffect, useRef, useState } from "react";
import { giveFocusBack, nothingFocused } from "./focusBack";

const FIELD = "input:not([type=hidden], :disabled), textarea:not(:disabled)";

/** A dialog that is there while it is open: its first field takes the focus, and once it goes the focus is back where it was. */
export function Dialog({ children, afterOpenChange, ...props }: ModalProps) {
  // Where nothing had the focus, as after a key of the page, nothing gets it back: Enter is a key of the page there.
  const [nowhere] = useState(nothingFocused);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => (nowhere ? undefined : giveFocusBack), [nowhere]);
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
