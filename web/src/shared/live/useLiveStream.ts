import { useEffect, useRef, useState } from "react";
import { type LiveState, LiveStream } from "./stream";

interface Handlers {
  onEvent(name: string, data: unknown): void;
  onGap(): void;
}

/**
 * Listens to a stream while the component is mounted. The handlers may change between renders. When `edition` changes,
 * the stream is opened anew: what it tells of is another thing at the same address. Without a URL there is none.
 */
export function useLiveStream(
  url: string | null,
  names: readonly string[],
  handlers: Handlers,
  edition = 0,
): LiveState {
  const [state, setState] = useState<LiveState>("connecting");
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  const wanted = names.join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the edition is in no address, but opens the stream anew
  useEffect(() => {
    if (url === null) return;
    const stream = new LiveStream(url, wanted.split(" "), {
      onState: setState,
      onEvent: (name, data) => latest.current.onEvent(name, data),
      onGap: () => latest.current.onGap(),
    });
    stream.start();
    return () => stream.stop();
  }, [url, wanted, edition]);
  return url === null ? "stopped" : state;
}
