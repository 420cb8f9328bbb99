import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { Alert } from "antd";
import { useEffect, useState } from "react";
import { safeReturn } from "../../shared/paths";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { BlockSkeleton, FailureState } from "../../shared/ui/states";
import { accountQuery } from "./account";
import { Notices } from "./Notices";
import { PasskeysSection } from "./PasskeysSection";
import { PasswordSection } from "./PasswordSection";
import { RecoveryCodesDialog } from "./RecoveryCodesDialog";
import { RecoverySection } from "./RecoverySection";
import { SessionsSection } from "./SessionsSection";
import { meQuery } from "./session";
import { TotpSection } from "./TotpSection";
import "./account.css";

const TITLE = "Your firm asks everybody for a second factor";
const WHAT = "Set up an authenticator app or a passkey. Everything else opens as soon as that is done.";
const AGAIN = "You have one, and came in without it. Sign out, and sign in again with it.";

/** What I sign in with, and where I am signed in. */
export function AccountPage() {
  const client = useQueryClient();
  const account = useQuery(accountQuery);
  const { me } = useSession();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const enrolling = me.second_factor_missing;
  const [sentHere] = useState(enrolling);
  const { next }: { next?: unknown } = useSearch({ strict: false });
  const router = useRouter();
  const hasOne = Boolean(account.data && (account.data.totp_since || account.data.passkeys.length > 0));
  useEffect(() => {
    if (enrolling && hasOne) void client.refetchQueries({ queryKey: meQuery.queryKey });
  }, [client, enrolling, hasOne]);
  const goOn = async () => {
    setCodes([]);
    if (!sentHere) return;
    // Nobody came to see this page: with the second factor the one that was asked for opens.
    await client.refetchQueries({ queryKey: meQuery.queryKey });
    router.history.push(safeReturn(typeof next === "string" ? next : undefined));
  };
  // Whoever has recovery codes from before is told no new ones, and goes on at once.
  const added = (told: readonly string[]) => (told.length > 0 ? setCodes(told) : void goOn());
  return (
    <Page title="Account security">
      {account.data ? (
        <>
          {enrolling ? (
            <Alert type="warning" showIcon title={TITLE} description={hasOne ? AGAIN : WHAT} />
          ) : null}
          {enrolling ? null : <Notices notices={account.data.notices} />}
          <div className="account-grid">
            {enrolling ? null : <PasswordSection hasPassword={account.data.password} />}
            <TotpSection since={account.data.totp_since} onCodes={added} />
            <PasskeysSection account={account.data} onCodes={added} />
            {enrolling ? null : <RecoverySection account={account.data} onCodes={added} />}
          </div>
        </>
      ) : account.isError ? (
        <FailureState error={account.error} onRetry={() => void account.refetch()} what="Your account" />
      ) : (
        <BlockSkeleton height={320} label="Loading your account" />
      )}
      {enrolling ? null : <SessionsSection />}
      {codes.length > 0 ? <RecoveryCodesDialog codes={codes} onClose={() => void goOn()} /> : null}
    </Page>
  );
}
