import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Page } from "../../shared/ui/Page";
import { BlockSkeleton, FailureState } from "../../shared/ui/states";
import { accountQuery } from "./account";
import { Notices } from "./Notices";
import { PasskeysSection } from "./PasskeysSection";
import { PasswordSection } from "./PasswordSection";
import { RecoveryCodesDialog } from "./RecoveryCodesDialog";
import { RecoverySection } from "./RecoverySection";
import { SessionsSection } from "./SessionsSection";
import { TotpSection } from "./TotpSection";
import "./account.css";

/** What I sign in with, and where I am signed in. */
export function AccountPage() {
  const account = useQuery(accountQuery);
  const [codes, setCodes] = useState<readonly string[]>([]);
  return (
    <Page title="Account security">
      {account.data ? (
        <>
          <Notices notices={account.data.notices} />
          <div className="account-grid">
            <PasswordSection hasPassword={account.data.password} />
            <TotpSection since={account.data.totp_since} onCodes={setCodes} />
            <PasskeysSection account={account.data} onCodes={setCodes} />
            <RecoverySection account={account.data} onCodes={setCodes} />
          </div>
        </>
      ) : account.isError ? (
        <FailureState error={account.error} onRetry={() => void account.refetch()} what="Your account" />
      ) : (
        <BlockSkeleton height={320} label="Loading your account" />
      )}
      <SessionsSection />
      {codes.length > 0 ? <RecoveryCodesDialog codes={codes} onClose={() => setCodes([])} /> : null}
    </Page>
  );
}
