import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Button } from "antd";
import { type ReactNode, useEffect, useRef } from "react";
import { ApiProblem, isProblem } from "../api/problem";
import { paths } from "../shared/paths";
import { type Me, useSession } from "../shared/session";
import { useTitle } from "../shared/ui/Page";
import { reasonOf } from "../shared/ui/states";

function ErrorPage({ code, title, children }: { code: string; title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="error-page">
      <p className="error-code num">{code}</p>
      <h1>{title}</h1>
      {children}
    </div>
  );
}

/** 403 */
export function ForbiddenPage() {
  return (
    <ErrorPage code="403" title="Your role does not open this page">
      <p>Ask an administrator of your firm for the role that works with it.</p>
      <Link to={paths.home}>Go to your first page</Link>
    </ErrorPage>
  );
}

/** Somebody whose role has no page yet: who they are here, what they can do, and what comes. */
export function NoPagesPage() {
  const { me } = useSession();
  useTitle("Welcome");
  const role = me.user.role;
  return (
    <div className="error-page">
      <h1>Welcome, {me.user.name}</h1>
      <p>
        You are signed in at <strong>{me.tenant.name}</strong> as {role.replaceAll("_", " ")}.
      </p>
      <p className="muted">
        {COMING[role] ?? "The pages that your role works with appear in the navigation."}
      </p>
      <Link to={paths.account}>Your account: password, second factor, sessions</Link>
    </div>
  );
}

/** What a role without a page of its own will find here. */
const COMING: Partial<Record<Me["user"]["role"], string>> = {
  customer:
    "Your accounts, your applications and the reasons of decisions about you will be here. Until then your bank answers.",
};

/** 404 */
export function MissingPage() {
  return (
    <ErrorPage code="404" title="There is no such page">
      <p>The address may be mistyped, or the page has moved.</p>
      <Link to={paths.home}>Go to your first page</Link>
    </ErrorPage>
  );
}

const PROBE_MS = 5_000;

/** Tries by itself as soon as the server answers again; asking for a picture tells that without any question of the page. */
function useReturn(gone: boolean, again: () => void): void {
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (!gone) return;
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    // Spread over half the wait, so that a restarted server does not meet everybody in one moment.
    const later = () => {
      timer = setTimeout(() => void probe(), PROBE_MS * (0.75 + Math.random() / 2));
    };
    const probe = async () => {
      clearTimeout(timer);
      const answer = await fetch("/favicon.svg", { method: "HEAD", cache: "no-store" }).catch(() => null);
      if (left) return;
      later();
      if (answer?.ok) latest.current();
    };
    later();
    const online = () => void probe();
    window.addEventListener("online", online);
    return () => {
      left = true;
      clearTimeout(timer);
      window.removeEventListener("online", online);
    };
  }, [gone]);
}

/** 500: the page or the server failed. */
export function FailedPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  const gone = isProblem(error, 0);
  useReturn(gone, again);
  if (isProblem(error, 403)) return <ForbiddenPage />;
  const code = gone ? "No answer" : error instanceof ApiProblem ? String(error.status) : "500";
  return (
    <ErrorPage code={code} title={titleOf(error)}>
      <p role="alert">{reasonOf(error)}</p>
      <p className="error-actions">
        <Button type="primary" onClick={again}>
          Try again
        </Button>
        <Button onClick={() => window.location.reload()}>Load the page anew</Button>
      </p>
    </ErrorPage>
  );
}

/** Before it is known who is signed in. */
export function WaitingPage() {
  return (
    <main className="error-page" aria-busy>
      <p className="muted">Opening Finer…</p>
    </main>
  );
}

function titleOf(error: unknown): string {
  return isProblem(error) ? error.title : "This page failed";
}
