import { Button } from "antd";
import { Copied } from "../../../shared/ui/Copied";
import { Dialog } from "../../../shared/ui/Dialog";
import type { Secret } from "./machines";
import { KINDS, tryOut } from "./words";

/** Shows a new secret, this once. It closes by its button only: a slip beside it must not lose the secret. */
export function SecretDialog({ machine, secret, onClose }: Secret & { onClose(): void }) {
  return (
    <Dialog
      title={`${KINDS[machine.kind]} for ${machine.name}`}
      width={600}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      footer={
        <Button type="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <p>
        <strong>This is the only time that Finer shows it.</strong> Keep it in a secret store, not in a
        program.
      </p>
      {machine.approvedAt ? null : (
        <p>
          <strong>It opens nothing yet.</strong> A second person has to approve it, under Approvals; from then
          on it works with this secret.
        </p>
      )}
      {machine.kind === "client" ? <Copied label="Client id" text={machine.ref} /> : null}
      <Copied label={machine.kind === "key" ? "Key" : "Client secret"} text={secret} />
      <Copied label="Try it" text={tryOut(machine, secret, window.location.origin)} />
    </Dialog>
  );
}
