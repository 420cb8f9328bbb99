import { Alert, Button } from "antd";
import { answer, api } from "../../api/client";
import { When } from "../../shared/ui/values";
import { deviceText, FACTOR_WORDS, type Session } from "./account";
import { useAct } from "./useAct";

/** Sign-ins from places where I have not been before. */
export function Notices({ notices }: { notices: readonly Session[] }) {
  const [busy, act] = useAct();
  const recognise = (id: string) =>
    act(
      () =>
        answer(api.POST("/api/v1/sessions/{session_id}/recognise", { params: { path: { session_id: id } } })),
      "Noted: that was you.",
    );
  return (
    <>
      {notices.map((notice) => (
        <Alert
          key={notice.id}
          type="warning"
          showIcon
          className="account-notice"
          title={
            <>
              New sign-in from {deviceText(notice.user_agent)}, {notice.address || "an unknown address"}
            </>
          }
          description={
            <>
              <When at={notice.created_at} />, by {FACTOR_WORDS[notice.factor]}. If that was not you, change
              your password now: it signs every other browser out.
            </>
          }
          action={
            <Button size="small" loading={busy} onClick={() => void recognise(notice.id)}>
              This was me
            </Button>
          }
        />
      ))}
    </>
  );
}
