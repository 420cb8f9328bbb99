/** Where people write text; what is chosen or ticked is quickly done again. */
const TEXT =
  "textarea, [contenteditable=true], input:is([type=text], [type=password], [type=number], :not([type]))";

/** Where something stands that was written before this page opened, and is not saved. */
const UNSAVED = "[data-unsaved]";

let written = false;

document.addEventListener(
  "input",
  (event) => {
    written ||= event.target instanceof Element && event.target.matches(TEXT);
  },
  true,
);

let hold: (() => void) | null = null;
let kept = false;

/** Another page opens, on which nothing is written yet. True when the one before was kept for who comes back. */
export function leavePage(): boolean {
  const left = kept;
  written = false;
  kept = false;
  return left;
}

/** Says what keeps the page when the session ends under it. Returns the way to take it back. */
export function onSessionEnd(handler: () => void): () => void {
  hold = handler;
  return () => {
    if (hold === handler) hold = null;
  };
}

/**
 * Keeps the page on which somebody has written, or has done something that was refused (`acting`), which may be what they
 * chose and moved for long. False when there is nothing to keep.
 */
export function keepPage(acting = false): boolean {
  if (kept) return true;
  if (!(written || acting || document.querySelector(UNSAVED)) || !hold) return false;
  kept = true;
  hold();
  return true;
}

/** They are back, and go on. */
export function goOnWithPage(): void {
  kept = false;
}
