import { Button, Input } from "antd";
import { type FormEvent, useState } from "react";
import { answer, api, type Schema } from "../../api/client";

interface SecondFactorProps {
  missing: Schema<"MissingFactor">;
  busy: boolean;
  attempt(act: () => Promise<Schema<"SignInAnswer">>, refused: string): void;
  onBack(): void;
}

/** The second step of a sign-in: a code of the app, or a recovery code. */
export function SecondFactor({ missing, busy, attempt, onBack }: SecondFactorProps) {
  const [code, setCode] = useState("");
  const app = missing.methods.includes("totp");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = { token: missing.token, code: code.trim() };
    const send = () => answer(api.POST("/api/v1/session/second-factor", { body }));
    attempt(send, "This code does not fit. Enter the newest one, or a recovery code that you have not used.");
  };
  return (
    <form onSubmit={submit} className="signin-step">
      <label htmlFor="code">{app ? "Code of your app, or a recovery code" : "Recovery code"}</label>
      <Input
        id="code"
        autoComplete="one-time-code"
        autoFocus
        required
        size="large"
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        Go on
      </Button>
      <Button type="link" onClick={onBack}>
        Begin again
      </Button>
    </form>
  );
}
