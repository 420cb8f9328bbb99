import { useSyncExternalStore } from "react";
import { recall, remember } from "./storage";

export interface Preferences {
  theme: "system" | "light" | "dark";
  density: "comfortable" | "compact";
  navCollapsed: boolean;
}

const DEFAULTS: Preferences = { theme: "system", density: "comfortable", navCollapsed: false };
/** The last person's choice on this device: what the sign-in page and public/boot.js show. */
const DEVICE_KEY = "finer.device";

let key = DEVICE_KEY;
let current: Preferences = { ...DEFAULTS, ...recall<Partial<Preferences>>(DEVICE_KEY, {}) };
const listeners = new Set<() => void>();

/** Switches to the preferences of a person; without one, to those of the device. */
export function usePreferencesOf(userId: string | null): void {
  const next = userId === null ? DEVICE_KEY : `finer.user.${userId}`;
  if (next === key) return;
  key = next;
  current = { ...current, ...recall<Partial<Preferences>>(key, {}) };
  remember(DEVICE_KEY, current);
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  remember(key, current);
  remember(DEVICE_KEY, current);
  for (const listener of listeners) listener();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
