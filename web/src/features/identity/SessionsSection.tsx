import { useQuery } from "@tanstack/react-query";
import { Button, Popconfirm } from "antd";
import { answer, api } from "../../api/client";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { deviceText, FACTOR_WORDS, type Session, sessionsQuery } from "./account";
import { Section } from "./Section";
import { useAct } from "./useAct";

/** Every browser where I am signed in, and the way to sign it out. */
export function SessionsSection() {
  const sessions = useQuery(sessionsQuery);
  const [busy, act] = useAct();
  const others = sessions.data?.filter((one) => !one.current).length ?? 0;
  const endOthers = () =>
    act(() => answer(api.DELETE("/api/v1/sessions")), "Every other browser is signed out within a second.");
  return (
    <Section title="Where you are signed in">
      {sessions.data ? (
        <>
          <ul className="account-list">
            {sessions.data.map((one) => (
              <SessionRow key={one.id} session={one} />
            ))}
          </ul>
          <Popconfirm
            title="Sign every other browser out?"
            okText="Sign out"
            cancelText="Leave them"
            disabled={others === 0}
            onConfirm={endOthers}
          >
            <Button loading={busy} disabled={others === 0}>
              Sign out all others
            </Button>
          </Popconfirm>
        </>
      ) : sessions.isError ? (
        <FailureState error={sessions.error} onRetry={() => void sessions.refetch()} what="The list" />
      ) : (
        <RowsSkeleton rows={3} height={44} label="Loading sessions" />
      )}
    </Section>
  );
}

function SessionRow({ session }: { session: Session }) {
  const [busy, act] = useAct();
  const device = deviceText(session.user_agent);
  const end = () =>
    act(
      () =>
        answer(api.DELETE("/api/v1/sessions/{session_id}", { params: { path: { session_id: session.id } } })),
      `${device} is signed out within a second.`,
    );
  return (
    <li className="account-row">
      <span>
        <strong title={session.user_agent}>{device}</strong>{" "}
        {session.current ? <Tag word="This one" tone="plain" /> : null}
        {session.unfamiliar && !session.current ? <Tag word="New place" tone="review" /> : null}
        <span className="muted">
          {session.address || "unknown address"} · by {FACTOR_WORDS[session.factor]} · since{" "}
          <When at={session.created_at} /> · last seen <When at={session.last_seen_at} />
        </span>
      </span>
      {session.current ? null : (
        <Button loading={busy} onClick={end} aria-label={`Sign out ${device}, ${session.address}`}>
          Sign out
        </Button>
      )}
    </li>
  );
}
