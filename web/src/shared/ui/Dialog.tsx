import { Modal, type ModalProps } from "antd";
import { useEffect, useState } from "react";

/** A dialog that is there while it is open: once it goes, the focus is again where it was when it came. */
export function Dialog(props: ModalProps) {
  const [before] = useState(() => document.activeElement);
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
  return <Modal open {...props} />;
}
