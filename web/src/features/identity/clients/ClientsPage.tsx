import { PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { counted } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { useNow } from "../../../shared/ui/values";
import { ChangeDialog } from "./ChangeDialog";
import { CreateDialog } from "./CreateDialog";
import { MachineTable } from "./MachineTable";
import { type Machine, machinesQuery, type Secret, stateOf } from "./machines";
import { RevokeDialog, RotateDialog } from "./RotateDialog";
import { SecretDialog } from "./SecretDialog";
import "./clients.css";

export type Act = "change" | "rotate" | "revoke";

/** The machines that may use Finer in the firm's name: what they may do, from where, and since when they were quiet. */
export function ClientsPage() {
  const client = useQueryClient();
  const query = useQuery(machinesQuery);
  const { may } = useSession();
  const [creating, setCreating] = useState(false);
  const [acting, setActing] = useState<{ act: Act; machine: Machine } | null>(null);
  const [secret, setSecret] = useState<Secret | null>(null);
  const now = useNow(30_000);
  const { all, show } = useShown();
  const mayWrite = may(permission.writeApiKeys);
  const reload = () => void client.invalidateQueries({ queryKey: machinesQuery.queryKey });
  const close = () => setActing(null);
  const create = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setCreating(true)}>
      New API client
    </Button>
  );

  const machines = query.data ?? [];
  const isOver = (machine: Machine) => ["expired", "revoked"].includes(stateOf(machine, now));
  const ended = machines.filter(isOver).length;
  const shown = all ? machines : machines.filter((machine) => !isOver(machine));
  let body = <NotYet query={query} what="The API clients" height={240} />;
  if (query.data && machines.length === 0) {
    body = (
      <EmptyState title="No machine may use Finer yet" action={mayWrite ? create : undefined}>
        Systems of your firm send records and ask for decisions with an API key or as an OAuth client. Each
        has its own permissions, networks and end.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <>
        {shown.length > 0 ? (
          <MachineTable
            machines={shown}
            now={now}
            onAct={mayWrite ? (act, machine) => setActing({ act, machine }) : undefined}
          />
        ) : (
          <p className="clients-none muted">None works at present.</p>
        )}
        {ended > 0 ? (
          <Button type="link" className="clients-ended" onClick={() => show(!all)}>
            {all ? "Show only those that work" : `Show ${counted(ended, "expired or revoked client")} too`}
          </Button>
        ) : null}
      </>
    );
  }
  return (
    <Page title="API clients" aside={mayWrite && machines.length > 0 ? create : null}>
      <section className="part" aria-label="API clients">
        {body}
      </section>
      {creating ? (
        <CreateDialog onClose={() => setCreating(false)} onDone={setSecret} onStored={reload} />
      ) : null}
      {acting?.act === "change" ? (
        <ChangeDialog machine={acting.machine} onClose={close} onDone={reload} />
      ) : null}
      {acting?.act === "rotate" ? (
        <RotateDialog machine={acting.machine} onClose={close} onDone={setSecret} onStored={reload} />
      ) : null}
      {acting?.act === "revoke" ? (
        <RevokeDialog machine={acting.machine} onClose={close} onDone={reload} />
      ) : null}
      {secret ? <SecretDialog {...secret} onClose={() => setSecret(null)} /> : null}
    </Page>
  );
}

/** Whether those that ended are shown; kept in the address. */
function useShown(): { all: boolean; show(all: boolean): void } {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  return {
    all: search.show === "all",
    show: (all) => void navigate({ to: paths.clients, search: all ? { show: "all" } : {}, replace: true }),
  };
}
