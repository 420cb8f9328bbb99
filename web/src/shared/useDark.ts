import { DARK, useMedia } from "./media";
import { usePreferences } from "./preferences";

/** Whether the page is dark now: as the person or the system chose, and never on paper. */
export function useDark(): boolean {
  const { theme } = usePreferences();
  const systemDark = useMedia(DARK);
  const printed = useMedia("print");
  return !printed && (theme === "dark" || (theme === "system" && systemDark));
}
