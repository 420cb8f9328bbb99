/** The younger of what was fetched and what the stream brought meanwhile: a slow answer must not undo a quick event. */
export function newest<T extends { as_of: string }>(known: T | undefined, fetched: T): T {
  return known && known.as_of > fetched.as_of ? known : fetched;
}
