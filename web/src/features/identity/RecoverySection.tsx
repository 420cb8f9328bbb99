import { Button, Popconfirm } from "antd";
import { answer, api } from "../../api/client";
import { Tag } from "../../shared/ui/tags";
import type { Account } from "./account";
import { Section } from "./Section";
import { useAct } from "./useAct";

interface RecoverySectionProps {
  account: Account;
  onCodes(codes: readonly string[]): void;
}

/** Recovery codes: how many are left, and new ones in their place. */
export function RecoverySection({ account, onCodes }: RecoverySectionProps) {
  const [busy, act] = useAct();
  const left = account.recovery_codes_left;
  const needed = account.totp_since !== null || account.passkeys.length > 0;
  const renew = async () => {
    const done = await act(() => answer(api.POST("/api/v1/account/recovery-codes")));
    if (done) onCodes(done.recovery_codes);
  };
  return (
    <Section
      title="Recovery codes"
      state={
        needed ? (
          <Tag word={`${left} left`} tone={left > 2 ? "approve" : "review"} />
        ) : (
          <Tag word="None" tone="plain" />
        )
      }
    >
      <p className="muted">
        Each lets you in once when the app or the passkey is not at hand. Keep them off this device.
      </p>
      {needed ? (
        <Popconfirm
          title="Make ten new codes? The old ones stop working."
          okText="Make new codes"
          cancelText="Keep the old ones"
          onConfirm={renew}
        >
          <Button loading={busy}>Make new codes</Button>
        </Popconfirm>
      ) : (
        <p>You get ten of them with your first app or passkey.</p>
      )}
    </Section>
  );
}
