import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Popconfirm, QRCode } from "antd";
import { type FormEvent, useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { Dialog } from "../../shared/ui/Dialog";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { refetchAccount } from "./account";
import { Section } from "./Section";
import { useAct } from "./useAct";
import { useSubmit } from "./useSubmit";

interface TotpSectionProps {
  since: string | null;
  onCodes(codes: readonly string[]): void;
}

/** The authenticator app: set up by a QR code and a first code, removed by a click. */
export function TotpSection({ since, onCodes }: TotpSectionProps) {
  const [enrolment, setEnrolment] = useState<Schema<"TotpEnrolment"> | null>(null);
  const [busy, act] = useAct();
  const begin = async () => setEnrolment(await act(() => answer(api.POST("/api/v1/account/totp"))));
  const remove = () => act(() => answer(api.DELETE("/api/v1/account/totp")), "The app is asked for no more.");
  return (
    <Section
      title="Authenticator app"
      state={since ? <Tag word="On" tone="approve" /> : <Tag word="Off" tone="plain" />}
    >
      <p className="muted">
        A code from your phone after the password, so that the password alone opens nothing.
      </p>
      {since ? (
        <p className="account-row">
          <span>
            Set up <When at={since} />
          </span>
          <Popconfirm title="Remove the app?" okText="Remove" cancelText="Keep it" onConfirm={remove}>
            <Button loading={busy}>Remove</Button>
          </Popconfirm>
        </p>
      ) : (
        <Button loading={busy} onClick={begin}>
          Set up an app
        </Button>
      )}
      {enrolment ? (
        <Enrolment
          enrolment={enrolment}
          onClose={() => setEnrolment(null)}
          onDone={(codes) => {
            setEnrolment(null);
            onCodes(codes);
          }}
        />
      ) : null}
    </Section>
  );
}

interface EnrolmentProps {
  enrolment: Schema<"TotpEnrolment">;
  onClose(): void;
  onDone(codes: readonly string[]): void;
}

function Enrolment({ enrolment, onClose, onDone }: EnrolmentProps) {
  const [code, setCode] = useState("");
  const { busy, problem, run } = useSubmit();
  const client = useQueryClient();
  const { message } = App.useApp();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const done = await answer(api.POST("/api/v1/account/totp/confirm", { body: { code: code.trim() } }));
      message.success("From now on the app is asked for when you sign in.");
      // First, since the codes are told this once and the rest of the page changes with what follows.
      onDone(done.recovery_codes);
      await refetchAccount(client);
    });
  };
  return (
    <Dialog open title="Set up an authenticator app" footer={null} onCancel={onClose}>
      <form onSubmit={submit} className="account-form account-form-wide" aria-busy={busy}>
        <p>Scan this with your authenticator app, then enter the code that it shows.</p>
        <div className="account-qr">
          <QRCode value={enrolment.uri} size={208} type="svg" color="#000000" bgColor="#ffffff" />
        </div>
        <p className="muted">
          No camera? Enter this key by hand: <code className="account-key">{inFours(enrolment.secret)}</code>
        </p>
        <label htmlFor="totp">Code</label>
        <Input
          id="totp"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        <p role="alert" className={problem ? "problem" : "sr-only"}>
          {problem}
        </p>
        <Button type="primary" htmlType="submit" loading={busy}>
          Confirm
        </Button>
      </form>
    </Dialog>
  );
}

function inFours(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}
