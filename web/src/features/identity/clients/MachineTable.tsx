import { EditOutlined, RetweetOutlined, StopOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { Button, Tooltip } from "antd";
import type { ReactNode } from "react";
import { paths } from "../../../shared/paths";
import { TableBox } from "../../../shared/ui/TableBox";
import { Tag } from "../../../shared/ui/tags";
import { When } from "../../../shared/ui/values";
import type { Act } from "./ClientsPage";
import { type Machine, stateOf } from "./machines";
import { KINDS, STATES, shownRef } from "./words";

interface MachineTableProps {
  machines: readonly Machine[];
  now: number;
  onAct?: (act: Act, machine: Machine) => void;
}

export function MachineTable({ machines, now, onAct }: MachineTableProps) {
  return (
    <TableBox>
      <table className="table clients">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">May do</th>
            <th scope="col">From</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            {onAct ? <th scope="col" aria-label="Actions" /> : null}
          </tr>
        </thead>
        <tbody>
          {machines.map((machine) => (
            <Row key={machine.kind + machine.ref} machine={machine} now={now} onAct={onAct} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ machine, now, onAct }: { machine: Machine; now: number; onAct?: MachineTableProps["onAct"] }) {
  const state = stateOf(machine, now);
  const both =
    machine.previousUntil && Date.parse(machine.previousUntil) > now ? machine.previousUntil : null;
  return (
    <tr className={state === "working" || state === "waiting" ? undefined : "clients-over"}>
      <th scope="row">
        <span className="clients-name">{machine.name}</span>
        <span className="muted">
          {KINDS[machine.kind]} <code>{shownRef(machine)}</code>
        </span>
      </th>
      <td>
        <Tag {...STATES[state]} />
        {machine.proposal ? (
          <Link to={paths.approvals} className="clients-both">
            {state === "waiting" ? "See the proposal" : "A change waits for approval"}
          </Link>
        ) : null}
        {both && state === "working" ? (
          <span className="muted clients-both">
            old secret until <When at={both} />
          </span>
        ) : null}
      </td>
      <td className="clients-scopes cell-text">
        {machine.scopes.map((scope) => (
          <code key={scope}>{scope}</code>
        ))}
      </td>
      <td>
        {machine.networks.length === 0 ? (
          <span className="muted">everywhere</span>
        ) : (
          machine.networks.join(", ")
        )}
      </td>
      <td>{machine.lastUsedAt ? <When at={machine.lastUsedAt} /> : <span className="muted">never</span>}</td>
      <td>
        <When at={machine.revokedAt ?? machine.expiresAt} />
      </td>
      {onAct ? (
        <td className="clients-acts">
          {state === "working" ? (
            <>
              <ActButton
                icon={<EditOutlined />}
                label="Change"
                machine={machine}
                run={() => onAct("change", machine)}
              />
              <ActButton
                icon={<RetweetOutlined />}
                label="New secret for"
                machine={machine}
                run={() => onAct("rotate", machine)}
              />
            </>
          ) : null}
          {state === "working" || state === "waiting" ? (
            <ActButton
              icon={<StopOutlined />}
              label="Revoke"
              danger
              machine={machine}
              run={() => onAct("revoke", machine)}
            />
          ) : null}
        </td>
      ) : null}
    </tr>
  );
}

function ActButton(props: {
  icon: ReactNode;
  label: string;
  machine: Machine;
  danger?: boolean;
  run(): void;
}) {
  const label = `${props.label} ${props.machine.name}`;
  return (
    <Tooltip title={label}>
      <Button type="text" danger={props.danger} icon={props.icon} aria-label={label} onClick={props.run} />
    </Tooltip>
  );
}
