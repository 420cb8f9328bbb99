import { useCallback, useSyncExternalStore } from "react";

export const PHONE = "(max-width: 767px)";
export const DARK = "(prefers-color-scheme: dark)";
export const CALM = "(prefers-reduced-motion: reduce)";

/** Whether a media query holds now; the component renders again when that changes. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}
