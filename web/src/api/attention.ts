const LASTS_MS = 60_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

let lastSign = Date.now();

for (const sign of SIGNS) {
  window.addEventListener(
    sign,
    () => {
      lastSign = Date.now();
    },
    { passive: true, capture: true },
  );
}

/** Whether somebody has touched the page in the last minute. What a page asks by itself keeps no session alive. */
export function isAttended(now: number = Date.now()): boolean {
  return now - lastSign < LASTS_MS;
}
