import { useQueryClient } from "@tanstack/react-query";
import { Button, Input } from "antd";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { answer, api } from "../../api/client";
import { onStepUp } from "../../api/stepUp";
import { Dialog } from "../../shared/ui/Dialog";
import { reasonOf } from "../../shared/ui/states";
import { ProviderButton } from "./ProviderButton";
import { hasPasskeys, isCancelled, proveByPasskey } from "./passkeys";
import { meQuery } from "./session";

interface Question {
  methods: readonly string[];
  answered(proven: boolean): void;
}

/** Asks again who is there whenever the server wants to know it, and lets what was asked for go on. */
export function StepUpDialog() {
  const [question, setQuestion] = useState<Question | null>(null);
  useEffect(
    () =>
      onStepUp(
        (methods) =>
          new Promise((resolve) => {
            const answered = (proven: boolean) => {
              setQuestion(null);
              resolve(proven);
            };
            setQuestion({ methods, answered });
          }),
      ),
    [],
  );
  return question ? <Proof {...question} /> : null;
}

function Proof({ methods, answered }: Question) {
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const byCode = methods.includes("totp") || methods.includes("recovery");
  const byPassword = methods.includes("password");
  const firm = useQueryClient().getQueryData(meQuery.queryKey)?.tenant.slug ?? null;
  const byPasskey = methods.includes("passkey") && hasPasskeys();

  const attempt = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
      answered(true);
    } catch (error) {
      if (!isCancelled(error)) setProblem(reasonOf(error));
      setBusy(false);
      field.current?.focus();
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = byCode ? { code: secret.trim() } : { password: secret };
    void attempt(() => answer(api.POST("/api/v1/account/step-up", { body })));
  };

  return (
    <Dialog
      title="Confirm that it is you"
      footer={null}
      onCancel={() => answered(false)}
      afterOpenChange={(open) => {
        if (open) field.current?.focus();
      }}
    >
      <form onSubmit={submit} className="proof" aria-busy={busy}>
        <p className="muted">What you are about to do is sensitive, and your last sign-in was a while ago.</p>
        <p role="alert" className={problem ? "signin-problem" : "hidden"}>
          {problem}
        </p>
        {byPasskey ? (
          <Button
            block
            type={byCode ? "default" : "primary"}
            loading={busy}
            onClick={() => attempt(proveByPasskey)}
          >
            Use a passkey
          </Button>
        ) : null}
        {byCode || byPassword ? (
          <>
            <label htmlFor="proof">
              {byCode
                ? methods.includes("totp")
                  ? "Code of your app, or a recovery code"
                  : "Recovery code"
                : "Password"}
            </label>
            <Input
              id="proof"
              ref={(input) => {
                field.current = input?.input ?? null;
              }}
              type={byCode ? "text" : "password"}
              autoComplete={byCode ? "one-time-code" : "current-password"}
              required
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
            />
            <Button type="primary" htmlType="submit" block loading={busy}>
              Confirm
            </Button>
          </>
        ) : (
          <>
            {methods.includes("sso") ? (
              <ProviderButton
                firm={firm}
                email=""
                next={window.location.pathname + window.location.search}
                fresh
              />
            ) : null}
            <p>
              Sign in again, by your firm's sign-in service or by a new sign-in link. Then do the same once
              more.
            </p>
          </>
        )}
      </form>
    </Dialog>
  );
}
