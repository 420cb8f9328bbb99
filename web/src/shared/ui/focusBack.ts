const REMEMBERED = 20;

interface Place {
  element: HTMLElement;
  page: string;
}

/** The places that had the focus, the newest first, and the page on which that was. */
let places: readonly Place[] = [];

document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof HTMLElement)) return;
  const others = places.filter(({ element }) => element !== target);
  places = [{ element: target, page: window.location.pathname }, ...others].slice(0, REMEMBERED);
});

/** Whether nothing on the page has the focus. */
export function nothingFocused(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/**
 * After a dialog or a drawer has gone with the focus in it: the newest place of this page that is still there gets it, so
 * the button behind a menu that has closed, or behind a dialog that gave way to another. Where none is left, or another
 * page has come, it goes to the content. What was given it meanwhile keeps it.
 */
export function giveFocusBack(): void {
  // Later, when nothing holds the focus in the dialog any more.
  setTimeout(() => {
    const here = places.filter(({ page }) => page === window.location.pathname);
    for (const { element } of [...here, { element: document.getElementById("main") }]) {
      if (!nothingFocused()) return;
      // Of what is hidden or gone the browser takes no notice.
      element?.focus({ preventScroll: true });
    }
  });
}
