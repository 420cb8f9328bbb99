/** Where people write text; what is chosen or ticked is quickly done again. */
const TEXT =
  "textarea, [contenteditable=true], input:is([type=text], [type=password], [type=number], :not([type]))";

let written = false;

document.addEventListener(
  "input",
  (event) => {
    written ||= event.target instanceof Element && event.target.matches(TEXT);
  },
  true,
);

/** Another page is open, on which nothing is written yet. */
export function forgetWritten(): void {
  written = false;
}

let hold: (() => void) | null = null;

/** Says what keeps the page when the session ends under it. Returns the way to take it back. */
export function onSessionEnd(handler: () => void): () => void {
  hold = handler;
  return () => {
    if (hold === handler) hold = null;
  };
}

/** Keeps the page on which somebody has written; false when there is nothing to keep. */
export function keepPage(): boolean {
  if (!written || !hold) return false;
  hold();
  return true;
}
