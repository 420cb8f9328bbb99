import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Button, Input } from "antd";
import { type FormEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Schema } from "../../api/client";
import { isProblem } from "../../api/problem";
import { paths, safeReturn } from "../../shared/paths";
import { useTitle } from "../../shared/ui/Page";
import { reasonOf } from "../../shared/ui/states";
import { ProviderButton } from "./ProviderButton";
import { hasPasskeys, isCancelled, signInByPasskey } from "./passkeys";
import { SecondFactor } from "./SecondFactor";
import { forgetEverything, meQuery, signIn, signInByLink } from "./session";

const NOT_LET_IN =
  "Your firm's sign-in service did not let you in here. Try again, or ask your administrator for a role in Finer.";

/** Signing in by e-mail and password, or by a link that carries a token. */
export function SignInPage() {
  useTitle("Sign in");
  const query = new URLSearchParams(window.location.search);
  // Read once: the address is cleaned as soon as the token is spent.
  const [token] = useState(() => query.get("token"));
  const next = query.get("next") ?? undefined;
  const enter = useEnter(next, query.has("again"));
  const [busy, setBusy] = useState(token !== null);
  const [problem, setProblem] = useState<string | null>(query.get("sso") === "refused" ? NOT_LET_IN : null);
  const [missing, setMissing] = useState<Schema<"MissingFactor"> | null>(null);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const failed = useRef<HTMLParagraphElement>(null);

  const attempt = async (act: () => Promise<Schema<"SignInAnswer">>, refused: string) => {
    setBusy(true);
    setProblem(null);
    try {
      const { second_factor: second } = await act();
      setMissing(second);
      if (second) setBusy(false);
      else await enter();
    } catch (error) {
      if (isCancelled(error)) {
        setBusy(false);
        return;
      }
      const known = isProblem(error) && error.status >= 400 && error.status < 500 && error.status !== 429;
      setProblem(known ? refused : reasonOf(error));
      setBusy(false);
    }
  };
  const latest = useRef(attempt);
  latest.current = attempt;

  useLayoutEffect(() => {
    // Once it is drawn: what is hidden takes no focus.
    if (problem) failed.current?.focus();
  }, [problem]);
  useEffect(() => {
    if (token === null) return;
    const refused = "This link was used already or is too old. Sign in below, or ask for a new link.";
    void latest.current(() => signInByLink(token), refused);
    // The token must not stay in the address bar, the history or a bookmark.
    window.history.replaceState(window.history.state, "", window.location.pathname);
  }, [token]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const refused = "The e-mail address or the password is wrong. Check both and try again.";
    void attempt(() => signIn(email.trim(), password), refused);
  };

  const byPasskey = () =>
    void attempt(signInByPasskey, "This passkey opens no account here. Try another one, or your password.");

  return (
    <main className="signin">
      <div className="signin-card" aria-busy={busy}>
        <p className="signin-brand">
          <img src="/favicon.svg" alt="" width={28} height={28} /> Finer
        </p>
        <h1>{missing ? "Second step" : token !== null && busy ? "Signing you in" : "Sign in"}</h1>
        {next && !problem && token === null && !missing ? (
          <p className="muted">Sign in to go on where you were.</p>
        ) : null}
        <p ref={failed} tabIndex={-1} role="alert" className={problem ? "signin-problem" : "hidden"}>
          {problem}
        </p>
        {missing ? (
          <SecondFactor
            missing={missing}
            busy={busy}
            attempt={(act, refused) => void attempt(act, refused)}
            onBack={() => {
              setMissing(null);
              setProblem(null);
            }}
          />
        ) : (
          <form onSubmit={submit} className="signin-step">
            <label htmlFor="email">E-mail</label>
            <Input
              id="email"
              type="email"
              autoComplete="username"
              required
              size="large"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
            <label htmlFor="password">Password</label>
            <Input.Password
              id="password"
              autoComplete="current-password"
              required
              size="large"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
            <Button type="primary" htmlType="submit" size="large" block loading={busy}>
              Sign in
            </Button>
          </form>
        )}
        {hasPasskeys() && (missing === null || missing.methods.includes("passkey")) ? (
          <Button size="large" block disabled={busy} onClick={byPasskey}>
            Sign in with a passkey
          </Button>
        ) : null}
        {missing === null ? <ProviderButton firm={query.get("firm")} email={email} next={next} /> : null}
      </div>
    </main>
  );
}

/**
 * Goes to where the person wanted to be, with everything fetched anew for them. A window that a page opened for this
 * alone (`again`) closes: that page waits.
 */
function useEnter(next: string | undefined, again: boolean): () => Promise<void> {
  const client = useQueryClient();
  const router = useRouter();
  return async () => {
    if (again) window.close();
    forgetEverything(client);
    await client.fetchQuery(meQuery);
    // Whoever signs in after somebody else has been led to their own first page by now (app/person.ts).
    if (router.history.location.pathname === paths.signIn) router.history.push(safeReturn(next));
  };
}
