import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { type ReactNode, useState } from "react";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { reasonOf } from "../../../shared/ui/states";
import { type Targets, targetsQuery } from "./queries";

interface TargetsButtonProps {
  word: string;
  /** The dialog over what is in force now. */
  children(targets: Targets, close: () => void): ReactNode;
}

/** Opens what the firm wants to reach, for those who may set it. */
export function TargetsButton({ word, children }: TargetsButtonProps) {
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  const { data, error, isFetching } = useQuery({ ...targetsQuery, enabled: open });
  if (!may(permission.writeTargets)) return null;
  return (
    <>
      <Button loading={open && isFetching} onClick={() => setOpen(true)}>
        {word}
      </Button>
      {open && error ? (
        <span role="alert" className="problem">
          {reasonOf(error)}
        </span>
      ) : null}
      {/* What another person sets while the dialog is open is told when it is saved: nothing typed is lost. */}
      {open && data ? children(data, () => setOpen(false)) : null}
    </>
  );
}
