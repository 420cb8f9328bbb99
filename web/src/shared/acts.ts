import words from "./acts.json";

// What the server can write into the audit trail, permissions included; tests/house/test_words.py compares the two.
const ACTS: Readonly<Record<string, string>> = words;

/** "session:begin" as words: "Sign in"; what an older release wrote and has none by its area: "Things: put by". */
export function actionWord(action: string): string {
  const [area = "", act = ""] = action.replaceAll("_", " ").split(":");
  return ACTS[action] ?? `${area.charAt(0).toUpperCase()}${area.slice(1)}${act ? `: ${act}` : ""}`;
}
