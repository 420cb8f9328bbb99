import { useQuery } from "@tanstack/react-query";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { BlockSkeleton, FailureState } from "../../../shared/ui/states";
import { FirmForm } from "./FirmForm";
import { firmQuery, signInRulesQuery, ssoQuery } from "./queries";
import { SignInRulesForm } from "./SignInRulesForm";
import { SsoForm } from "./SsoForm";
import "./firm.css";

/** What the firm says about itself, and how its people sign in. */
export function SettingsPage() {
  const firm = useQuery(firmQuery);
  const { may } = useSession();
  return (
    <Page title="Firm settings">
      <section className="part firm-part" aria-label="Name and look">
        <h2>Name and look</h2>
        {firm.data ? (
          <FirmForm firm={firm.data} readOnly={!may(permission.writeFirm)} />
        ) : (
          <Waiting query={firm} what="The firm" />
        )}
      </section>
      <SignIn />
      {may(permission.readSso) ? <SingleSignOn /> : null}
    </Page>
  );
}

function SignIn() {
  const rules = useQuery(signInRulesQuery);
  const { may } = useSession();
  return (
    <section className="part firm-part" aria-label="Sign-in">
      <h2>Sign-in</h2>
      {rules.data ? (
        <SignInRulesForm
          key={JSON.stringify(rules.data)}
          rules={rules.data}
          readOnly={!may(permission.writeFirm)}
        />
      ) : (
        <Waiting query={rules} what="Sign-in" />
      )}
    </section>
  );
}

function SingleSignOn() {
  const sso = useQuery(ssoQuery);
  const { may } = useSession();
  return (
    <section className="part firm-part" aria-label="Single sign-on">
      <h2>Single sign-on</h2>
      {sso.data ? (
        <SsoForm
          key={sso.data.provider?.changed_at ?? "none"}
          settings={sso.data}
          readOnly={!may(permission.writeSso)}
        />
      ) : (
        <Waiting query={sso} what="Single sign-on" />
      )}
    </section>
  );
}

function Waiting({ query, what }: { query: { error: unknown; refetch(): unknown }; what: string }) {
  if (query.error)
    return <FailureState what={what} error={query.error} onRetry={() => void query.refetch()} />;
  return <BlockSkeleton height={220} label={`Loading ${what.toLowerCase()}`} />;
}
