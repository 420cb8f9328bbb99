import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useState } from "react";
import { reasonOf } from "../../shared/ui/states";
import { CASES } from "./queries";

/** Does something to cases: busy meanwhile, a message afterwards, and what is shown is what is now true. */
export function useAct(): [
  busy: boolean,
  act: <T>(work: () => Promise<T>, done?: (result: T) => string | undefined) => Promise<T | undefined>,
] {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const act = async <T>(work: () => Promise<T>, done?: (result: T) => string | undefined) => {
    setBusy(true);
    try {
      const result = await work();
      const said = done?.(result);
      if (said) message.success(said);
      return result;
    } catch (error) {
      // A conflict says who changed what; the page shows the case as it is by then.
      message.error(reasonOf(error), 8);
      return undefined;
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: [CASES] });
    }
  };
  return [busy, act];
}
