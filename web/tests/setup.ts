import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { setPreferences, usePreferencesOf } from "../src/shared/preferences";
import { FakeEventSource } from "./support/eventSource";

// Busy machines are slow to draw, and a whole page in an error message helps nobody.
configure({
  asyncUtilTimeout: 20_000,
  defaultHidden: true,
  getElementError: (message) => new Error(message?.split("\n")[0]),
});

/** All test files of a worker share its window (`isolate` in vite.config.ts): what lasts is done to it once. */
function furnishWindow() {
  // What jsdom lacks. Sizes are those of a desktop window: lists draw only the rows that are in sight.
  Object.defineProperty(HTMLElement.prototype, "offsetHeight", { get: () => 800 });
  Object.defineProperty(HTMLElement.prototype, "offsetWidth", { get: () => 1200 });
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { get: () => 1200 });
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { get: () => 800 });
  window.ResizeObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  HTMLElement.prototype.scrollTo = () => {};
  HTMLElement.prototype.scrollIntoView = () => {};
  window.scrollTo = () => {};
  // The code editor measures its letters.
  Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
  Range.prototype.getBoundingClientRect = () => new DOMRect();
  window.matchMedia = (query: string) =>
    ({
      matches: query.includes("reduced-motion"),
      media: query,
      addEventListener() {},
      removeEventListener() {},
      addListener() {},
      removeListener() {},
    }) as unknown as MediaQueryList;
  // jsdom does not draw pseudo-elements and says so on the console for each.
  const computed = window.getComputedStyle;
  window.getComputedStyle = (element) => computed(element);

  // The styles of antd say nothing that a test reads, and jsdom spends most of its time on them: another type of
  // sheet is not read.
  for (const name of ["appendChild", "insertBefore", "prepend"] as const) {
    const original = document.head[name] as (...nodes: unknown[]) => unknown;
    document.head[name] = function insert(this: HTMLElement, ...nodes: unknown[]) {
      if (nodes[0] instanceof HTMLStyleElement) nodes[0].type = "text/plain";
      return original.apply(this, nodes);
    } as never;
  }
}

const furnished = Symbol.for("finer.tests.furnished");
if (!(furnished in window)) {
  furnishWindow();
  Object.defineProperty(window, furnished, { value: true });
}

beforeEach(() => {
  usePreferencesOf(null);
  setPreferences({ theme: "system", density: "comfortable", navCollapsed: false });
  localStorage.clear();
  sessionStorage.clear();
  document.documentElement.removeAttribute("style");
  FakeEventSource.all.length = 0;
  vi.stubGlobal("EventSource", FakeEventSource);
});

afterEach(() => {
  cleanup();
  document.body.innerHTML = "";
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
