import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useState } from "react";
import { counted } from "../../shared/numbers";
import { reasonOf } from "../../shared/ui/states";
import type { Act } from "./queries";
import { actOutcome } from "./words";

/** Carries out an act and says what came of it; true when it was begun. */
export function useAct() {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const carryOut = async (begin: () => Promise<Act>, said?: string): Promise<boolean> => {
    setBusy(true);
    let begun = false;
    try {
      const act = await begin();
      begun = true;
      if (said) message.info(said);
      else if (act.state === "running") message.info(`${counted(act.matched, "record")}: under way.`);
      else message.success(`${actOutcome(act)}.`);
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
    await client.invalidateQueries({ queryKey: ["quarantine"] });
    setBusy(false);
    return begun;
  };
  return { busy, carryOut };
}
