import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button, Input, Modal } from "antd";
import { useId, useState } from "react";
import type { Secret } from "./machines";
import { KINDS, tryOut } from "./words";

/** Shows a new secret, this once. It closes by its button only: a slip beside it must not lose the secret. */
export function SecretDialog({ machine, secret, onClose }: Secret & { onClose(): void }) {
  return (
    <Modal
      open
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
    </Modal>
  );
}

function Copied({ label, text }: { label: string; text: string }) {
  const id = useId();
  const [done, setDone] = useState(false);
  const copy = async () => {
    // Plain HTTP has no clipboard; the text is selected then, and Ctrl-C does the rest.
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement) field.select();
    await navigator.clipboard?.writeText(text);
    setDone(navigator.clipboard !== undefined);
  };
  return (
    <div className="secret">
      <label htmlFor={id}>{label}</label>
      <div className="secret-line">
        <Input id={id} readOnly value={text} className="mono" />
        <Button
          icon={done ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />}
          onClick={() => void copy()}
        >
          {done ? "Copied" : "Copy"}
        </Button>
      </div>
    </div>
  );
}
