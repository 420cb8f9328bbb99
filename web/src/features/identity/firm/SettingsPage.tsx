import { useQuery } from "@tanstack/react-query";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { Loaded } from "../../../shared/ui/states";
import { FirmForm } from "./FirmForm";
import { firmQuery, signInRulesQuery, ssoQuery } from "./queries";
import { SignInRulesForm } from "./SignInRulesForm";
import { SsoForm } from "./SsoForm";
import "./firm.css";

const HEIGHT = 220;

/** What the firm says about itself, and how its people sign in. */
export function SettingsPage() {
  const { may } = useSession();
  const firm = useQuery(firmQuery);
  const rules = useQuery(signInRulesQuery);
  return (
    <Page title="Firm settings">
      <section className="part firm-part" aria-label="Name and look">
        <h2>Name and look</h2>
        <Loaded query={firm} what="The firm" height={HEIGHT}>
          {(data) => <FirmForm firm={data} readOnly={!may(permission.writeFirm)} />}
        </Loaded>
      </section>
      <section className="part firm-part" aria-label="Sign-in">
        <h2>Sign-in</h2>
        <Loaded query={rules} what="Sign-in" height={HEIGHT}>
          {(data) => <SignInRulesForm rules={data} readOnly={!may(permission.writeFirm)} />}
        </Loaded>
      </section>
      {may(permission.readSso) ? <SingleSignOn /> : null}
    </Page>
  );
}

function SingleSignOn() {
  const sso = useQuery(ssoQuery);
  const { may } = useSession();
  return (
    <section className="part firm-part" aria-label="Single sign-on">
      <h2>Single sign-on</h2>
      <Loaded query={sso} what="Single sign-on" height={HEIGHT}>
        {(data) => <SsoForm settings={data} readOnly={!may(permission.writeSso)} />}
      </Loaded>
    </section>
  );
}
