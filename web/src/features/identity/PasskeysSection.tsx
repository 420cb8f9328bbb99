import { Button, Popconfirm, Typography } from "antd";
import { answer, api, type Schema } from "../../api/client";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { type Account, deviceText } from "./account";
import { addPasskey, hasPasskeys } from "./passkeys";
import { Section } from "./Section";
import { useAct } from "./useAct";

interface PasskeysSectionProps {
  account: Account;
  onCodes(codes: readonly string[]): void;
}

/** Passkeys: made on this device, named, removed. */
export function PasskeysSection({ account, onCodes }: PasskeysSectionProps) {
  const [busy, act] = useAct();
  const add = async () => {
    const done = await act(
      () => addPasskey(deviceText(navigator.userAgent)),
      "The passkey works from now on.",
    );
    if (done) onCodes(done.recovery_codes);
  };
  const count = account.passkeys.length;
  return (
    <Section
      title="Passkeys"
      state={count > 0 ? <Tag word={String(count)} tone="approve" /> : <Tag word="None" tone="plain" />}
    >
      <p className="muted">
        Sign in by the fingerprint, face or PIN of this device, without a password. A passkey works on this
        site only, so no other page can trick you into using it.
      </p>
      {count > 0 ? (
        <ul className="account-list">
          {account.passkeys.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} />
          ))}
        </ul>
      ) : null}
      {here(account.passkey_origin) ? (
        <Button loading={busy} onClick={add}>
          Add a passkey
        </Button>
      ) : (
        <p>{whyNot(account.passkey_origin)}</p>
      )}
    </Section>
  );
}

function PasskeyRow({ passkey }: { passkey: Schema<"Passkey"> }) {
  const [busy, act] = useAct();
  const path = { passkey_id: passkey.id };
  const rename = (name: string) => {
    const wanted = name.trim();
    if (wanted === "" || wanted === passkey.name) return;
    void act(() =>
      answer(
        api.PATCH("/api/v1/account/passkeys/{passkey_id}", { params: { path }, body: { name: wanted } }),
      ),
    );
  };
  const remove = () =>
    act(
      () => answer(api.DELETE("/api/v1/account/passkeys/{passkey_id}", { params: { path } })),
      "The passkey opens your account no more.",
    );
  return (
    <li className="account-row">
      <span>
        <Typography.Text editable={{ onChange: rename, tooltip: "Rename", maxLength: 120 }}>
          {passkey.name}
        </Typography.Text>
        <span className="muted">
          {passkey.last_used_at ? (
            <>
              last used <When at={passkey.last_used_at} />
            </>
          ) : (
            "not used yet"
          )}
        </span>
      </span>
      <Popconfirm title={`Remove “${passkey.name}”?`} okText="Remove" cancelText="Keep it" onConfirm={remove}>
        <Button loading={busy} aria-label={`Remove ${passkey.name}`}>
          Remove
        </Button>
      </Popconfirm>
    </li>
  );
}

function here(origin: string | null): boolean {
  return hasPasskeys() && origin === window.location.origin;
}

function whyNot(origin: string | null): string {
  if (origin === null)
    return "Passkeys need Finer to be opened by a host name with https. Ask whoever runs it.";
  if (origin !== window.location.origin) return `Passkeys work at ${origin}. Open Finer there to add one.`;
  return "This browser is too old for passkeys.";
}
