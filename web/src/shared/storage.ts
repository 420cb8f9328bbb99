/** Under which name the queries that somebody has open are remembered; signing out forgets them. */
export const openSheetsKey = "sql-sheets";

/** What this browser remembers. Storage may be refused or full, which is never a reason to fail. */
export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The page works without memory.
  }
}

/** Forgets every key that begins like this. */
export function forgetAll(prefix: string): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
  } catch {
    // What is not remembered need not be forgotten.
  }
}

export function recall<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(key);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
