import { Button, Input } from "antd";
import { useId } from "react";
import { Dialog } from "../../shared/ui/Dialog";
import type { ExtractPassword } from "./queries";

/** How a BI tool signs in, shown this once. */
export function PasswordDialog({ given, onClose }: { given: ExtractPassword; onClose(): void }) {
  const { address, login, password } = given;
  return (
    <Dialog
      title="How the BI tool signs in"
      width={520}
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
        <strong>This is the only time that Finer shows the password.</strong> In Tableau or Power BI choose
        PostgreSQL, and enter:
      </p>
      <Line label="Server" text={`${address.host}:${address.port}`} />
      <Line label="Database" text={address.database} />
      <Line label="User" text={login} />
      <Line label="Password" text={password} />
    </Dialog>
  );
}

function Line({ label, text }: { label: string; text: string }) {
  const id = useId();
  return (
    <p className="lake-line">
      <label htmlFor={id}>{label}</label>
      <Input id={id} readOnly value={text} className="mono" onFocus={(event) => event.target.select()} />
    </p>
  );
}
