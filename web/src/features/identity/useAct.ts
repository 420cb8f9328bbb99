import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { reasonOf } from "../../shared/ui/states";
import { refetchAccount } from "./account";
import { isCancelled } from "./passkeys";

/** Does something to my account: busy meanwhile, a message afterwards, and the page shows what is now true. */
export function useAct(): [
  busy: boolean,
  act: <T>(work: () => Promise<T>, done?: string) => Promise<T | null>,
] {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const act = async <T>(work: () => Promise<T>, done?: string): Promise<T | null> => {
    setBusy(true);
    try {
      const found = await work();
      await refetchAccount(client);
      if (done) message.success(done);
      return found;
    } catch (error) {
      // Whoever closed the dialog that asks who they are, or the browser's, knows why nothing happened.
      const closed = isCancelled(error) || (isProblem(error, 403) && error.type === STEP_UP);
      if (!closed) message.error(reasonOf(error), 8);
      return null;
    } finally {
      setBusy(false);
    }
  };
  return [busy, act];
}
