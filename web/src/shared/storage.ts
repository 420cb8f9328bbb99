/** Under which name the queries that somebody has open are remembered; signing out forgets them. */
export const openSheetsKey = "sql-sheets";

/** All windows of this browser, or this one alone, also where it is loaded anew. */
type Where = "localStorage" | "sessionStorage";

/** What this browser remembers. Storage may be refused or full, which is never a reason to fail. */
export function remember(key: string, value: unknown, where: Where = "localStorage"): void {
  try {
    window[where].setItem(key, JSON.stringify(value));
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

export function recall<T>(key: string, otherwise: T, where: Where = "localStorage"): T {
  try {
    const text = window[where].getItem(key);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
