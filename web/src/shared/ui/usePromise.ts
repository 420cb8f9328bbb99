import { useEffect, useState } from "react";

/** The outcome of something that is loaded once. `load` must be stable. */
export function usePromise<T>(load: () => Promise<T>): { value?: T; error?: unknown } {
  const [outcome, setOutcome] = useState<{ value?: T; error?: unknown }>({});
  useEffect(() => {
    let wanted = true;
    load().then(
      (value) => wanted && setOutcome({ value }),
      (error: unknown) => wanted && setOutcome({ error: error ?? true }),
    );
    return () => {
      wanted = false;
    };
  }, [load]);
  return outcome;
}
