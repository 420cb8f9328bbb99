/** The nonce of this page, which the content security policy asks of every style and script made at run time. */
export const pageNonce =
  document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce || undefined;

/**
 * Give the nonce to every style element that a script makes. Ant Design passes it on to most of its own, but not to
 * those that measure and hide scroll bars. Markup that was injected is not made by a script, so it gets none.
 */
export function giveStylesTheNonce() {
  const nonce = pageNonce;
  if (!nonce) return;
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const made = create(name, options);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  };
}
