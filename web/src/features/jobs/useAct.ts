import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useState } from "react";
import { reasonOf } from "../../shared/ui/states";
import { JOBS } from "./queries";

/** Asks something of a job: busy meanwhile, a message afterwards, and the lists show what is now true. */
export function useAct(): [
  busy: boolean,
  act: (work: () => Promise<unknown>, done: string) => Promise<void>,
] {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await work();
      message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: [JOBS] });
    }
  };
  return [busy, act];
}
