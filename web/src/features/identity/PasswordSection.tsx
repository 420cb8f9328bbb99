import { Button, Input } from "antd";
import { type FormEvent, useState } from "react";
import { answer, api } from "../../api/client";
import { Section } from "./Section";
import { useAct } from "./useAct";

/** Changing the password, which signs every other browser out. */
export function PasswordSection({ hasPassword }: { hasPassword: boolean }) {
  const [present, setPresent] = useState("");
  const [next, setNext] = useState("");
  const [busy, act] = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const send = async () => {
      await answer(api.POST("/api/v1/account/password", { body: { present, new: next } }));
      return true;
    };
    if (await act(send, "The password is changed. Every other browser is signed out.")) {
      setPresent("");
      setNext("");
    }
  };
  return (
    <Section title="Password">
      <form onSubmit={submit} className="account-form" aria-busy={busy}>
        {hasPassword ? (
          <>
            <label htmlFor="present">Present password</label>
            <Input.Password
              id="present"
              required
              autoComplete="current-password"
              value={present}
              onChange={(event) => setPresent(event.target.value)}
            />
          </>
        ) : (
          <p className="muted">You have no password yet; a sign-in link let you in.</p>
        )}
        <label htmlFor="next">New password</label>
        <Input.Password
          id="next"
          required
          minLength={12}
          maxLength={256}
          autoComplete="new-password"
          aria-describedby="next-help"
          value={next}
          onChange={(event) => setNext(event.target.value)}
        />
        <p id="next-help" className="muted">
          At least 12 characters, any you like. Four unrelated words are easy to keep and hard to guess.
        </p>
        <Button htmlType="submit" loading={busy}>
          {hasPassword ? "Change the password" : "Set a password"}
        </Button>
      </form>
    </Section>
  );
}
