import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Button } from "antd";
import { useCallback, useEffect, useRef, useState } from "react";
import { meQuery } from "../features/identity/session";
import { paths } from "../shared/paths";
import { useSession } from "../shared/session";
import { Dialog } from "../shared/ui/Dialog";
import { goOnWithPage, onSessionEnd } from "./written";
import "./sessionEnded.css";

/** The session ended under a page on which somebody works: it waits, covered, until they are signed in again. */
export function SessionEnded() {
  const [ended, setEnded] = useState(false);
  useEffect(() => onSessionEnd(() => setEnded(true)), []);
  return ended ? <Waiting onDone={() => setEnded(false)} /> : null;
}

function Waiting({ onDone }: { onDone(): void }) {
  const client = useQueryClient();
  const router = useRouter();
  const { me } = useSession();
  const again = useRef<HTMLButtonElement>(null);
  const goOn = useCallback(async () => {
    // Who it was a moment ago is no answer: somebody else may have signed in since.
    const now = await client.fetchQuery({ ...meQuery, staleTime: 0 }).catch(() => null);
    // Where somebody else signed in, the page goes as in every window (person.ts).
    if (now?.user.id !== me.user.id) return;
    goOnWithPage();
    onDone();
    void client.invalidateQueries();
  }, [client, me.user.id, onDone]);
  useEffect(() => {
    const back = () => void goOn();
    window.addEventListener("focus", back);
    return () => window.removeEventListener("focus", back);
  }, [goOn]);
  const leave = () => {
    const next = router.state.location.href;
    void router.navigate({ to: paths.signIn, search: { next } });
  };
  return (
    <Dialog
      title="Your session has ended"
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      rootClassName="session-ended"
      zIndex={2000}
      // Enter, from who was writing, does not leave the page.
      afterOpenChange={(open) => open && again.current?.focus()}
      footer={
        <>
          <Button onClick={leave}>Leave this page</Button>
          <Button
            ref={again}
            type="primary"
            onClick={() =>
              window.open(`${paths.signIn}?again=1`, "finer-sign-in", "popup,width=480,height=680")
            }
          >
            Sign in again
          </Button>
        </>
      }
    >
      <p>This page is as you left it. Sign in again, in a window of its own, and go on where you were.</p>
    </Dialog>
  );
}
