import { Button } from "antd";
import { useState } from "react";
import { useSubmit } from "../useSubmit";
import { type Discovery, discover } from "./queries";

/** Asks the issuer what it says of itself, before anything depends on it. */
export function DiscoveryTest({ issuer, disabled }: { issuer: string; disabled: boolean }) {
  const [found, setFound] = useState<{ issuer: string; says: Discovery } | null>(null);
  const { busy, problem, run } = useSubmit();
  const test = () =>
    run(async () => {
      setFound(null);
      setFound({ issuer, says: await discover(issuer) });
    });
  const says = found?.issuer === issuer ? found.says : null;
  return (
    <div className="discovery">
      <Button onClick={() => void test()} loading={busy} disabled={disabled || issuer === ""}>
        Test discovery
      </Button>
      <div aria-live="polite">
        {problem ? <p className="problem">{problem}</p> : null}
        {says ? (
          <dl className="firm-facts">
            <dt>Sign-in page</dt>
            <dd>{says.authorization_endpoint}</dd>
            <dt>Keys</dt>
            <dd>
              {says.keys} at {says.jwks_uri}
            </dd>
            <dt>Signs with</dt>
            <dd>{says.algorithms.join(", ")}</dd>
            <dt>Names itself in answers</dt>
            <dd>{says.names_issuer ? "yes" : "no"}</dd>
          </dl>
        ) : null}
      </div>
    </div>
  );
}
