import { Drawer, type DrawerProps } from "antd";
import { useEffect, useRef } from "react";
import { giveFocusBack } from "./focusBack";

/** What stands at the side of a page while it is open. Once it has gone, the focus is back where it was. */
export function SideDrawer({ afterOpenChange, ...props }: DrawerProps) {
  const shown = useRef(false);
  useEffect(
    () => () => {
      // One that is taken away whole closes without a word.
      if (shown.current) giveFocusBack();
    },
    [],
  );
  return (
    <Drawer
      destroyOnHidden
      {...props}
      afterOpenChange={(open) => {
        shown.current = open;
        if (!open) giveFocusBack();
        afterOpenChange?.(open);
      }}
    />
  );
}
