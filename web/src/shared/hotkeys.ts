import { useEffect, useRef, useSyncExternalStore } from "react";

/** A key that does something on the page at hand, with the words for the overview that `?` opens. */
export interface Hotkey {
  /** As `KeyboardEvent.key` says it: "j", "?", "/". */
  key: string;
  /** Whether Ctrl, or Cmd on a Mac, is held. */
  withControl?: boolean;
  label: string;
  group: string;
  /** Gives way to the same key of the page at hand. */
  yields?: boolean;
  run(): void;
}

let registered: readonly Hotkey[] = [];
const listeners = new Set<() => void>();

/** Makes keys work while the component is mounted. They rest while somebody types or a dialog is open. */
export function useHotkeys(hotkeys: readonly Hotkey[]): void {
  const latest = useRef(hotkeys);
  useEffect(() => {
    latest.current = hotkeys;
  });
  const shape = hotkeys
    .map((hotkey) => `${hotkey.key}|${hotkey.withControl ?? ""}|${hotkey.group}`)
    .join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the set of keys is what matters; what they run is read late.
  useEffect(() => {
    const mine = latest.current.map((hotkey, at) => ({ ...hotkey, run: () => latest.current[at]?.run() }));
    publish([...registered, ...mine]);
    return () => publish(registered.filter((hotkey) => !mine.includes(hotkey)));
  }, [shape]);
}

/** All keys that work now, those of the page first. */
export function useRegisteredHotkeys(): readonly Hotkey[] {
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => registered,
  );
  return working();
}

function working(): Hotkey[] {
  const own = registered.filter((hotkey) => !hotkey.yields);
  const taken = (hotkey: Hotkey) =>
    own.some((each) => each.key === hotkey.key && each.withControl === hotkey.withControl);
  return [...own, ...registered.filter((hotkey) => hotkey.yields && !taken(hotkey))];
}

/** The one listener; the shell installs it. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  if (!control && rests(event.target)) return;
  // Enter belongs to whatever holds the focus; the content as a whole does nothing with it.
  if (event.key === "Enter" && !idle(event.target)) return;
  const found = working().find(
    (hotkey) => hotkey.key === event.key && (hotkey.withControl ?? false) === control,
  );
  if (!found) return;
  event.preventDefault();
  found.run();
}

function idle(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof HTMLElement && target.id === "main");
}

function rests(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"][aria-modal="true"]')) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}

function publish(next: readonly Hotkey[]): void {
  registered = next;
  for (const listener of listeners) listener();
}

/** What the key beside the space bar is called on this machine. */
export function controlKey(): string {
  return /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘" : "Ctrl";
}
