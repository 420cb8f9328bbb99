import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Button, Input } from "antd";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { isProblem } from "../../api/problem";
import { safeReturn } from "../../shared/paths";
import { useTitle } from "../../shared/ui/Page";
import { reasonOf } from "../../shared/ui/states";
import { forgetEverything, meQuery, signIn, signInByLink } from "./session";

/** Signing in by e-mail and password, or by a link that carries a token. */
export function SignInPage() {
  useTitle("Sign in");
  const query = new URLSearchParams(window.location.search);
  // Read once: the address is cleaned as soon as the token is spent.
  const [token] = useState(() => query.get("token"));
  const next = query.get("next") ?? undefined;
  const enter = useEnter(next);
  const [busy, setBusy] = useState(token !== null);
  const [problem, setProblem] = useState<string | null>(null);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const failed = useRef<HTMLParagraphElement>(null);

  const attempt = async (act: () => Promise<unknown>, refused: string) => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
      await enter();
    } catch (error) {
      const known = isProblem(error) && error.status >= 400 && error.status < 500 && error.status !== 429;
      setProblem(known ? refused : reasonOf(error));
      setBusy(false);
      failed.current?.focus();
    }
  };
  const latest = useRef(attempt);
  latest.current = attempt;

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

  return (
    <main className="signin">
      <form onSubmit={submit} className="signin-card" aria-busy={busy}>
        <p className="signin-brand">
          <img src="/favicon.svg" alt="" width={28} height={28} /> Finer
        </p>
        <h1>{token !== null && busy ? "Signing you in" : "Sign in"}</h1>
        {next && !problem && token === null ? (
          <p className="muted">Sign in to go on where you were.</p>
        ) : null}
        <p ref={failed} tabIndex={-1} role="alert" className={problem ? "signin-problem" : "hidden"}>
          {problem}
        </p>
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
    </main>
  );
}

/** Goes to where the person wanted to be, with everything fetched anew for them. */
function useEnter(next: string | undefined): () => Promise<void> {
  const client = useQueryClient();
  const router = useRouter();
  return async () => {
    forgetEverything(client);
    await client.fetchQuery(meQuery);
    router.history.push(safeReturn(next));
  };
}
