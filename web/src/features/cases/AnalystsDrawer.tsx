import { useQuery } from "@tanstack/react-query";
import { Select, Switch } from "antd";
import { counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet } from "../../shared/ui/states";
import { type Analyst, analystsQuery, setAnalyst } from "./queries";
import { useAct } from "./useAct";
import { TYPOLOGIES } from "./words";

/** Who works cases: on which kinds, and whether cases are given to them. */
export function AnalystsDrawer({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <SideDrawer open={open} onClose={onClose} size={520} title="Analysts">
      {open ? <Analysts /> : null}
    </SideDrawer>
  );
}

function Analysts() {
  const query = useQuery(analystsQuery);
  const { may } = useSession();
  const [busy, act] = useAct();
  if (!query.data) return <NotYet query={query} what="The analysts" rows={4} height={48} />;
  const change = (of: Analyst) =>
    void act(
      () => setAnalyst(of),
      (now) => `Kept for ${now.name}.`,
    );
  return (
    <>
      <p className="muted">
        Without a kind, somebody gets every case. Cases without a clear kind go to everybody.
      </p>
      <ul className="case-analysts">
        {query.data.map((one) => (
          <li key={one.id}>
            <div className="case-analyst">
              <strong>{one.name}</strong>
              <span className="muted num">{counted(one.open_cases, "open case")}</span>
              <Switch
                className="push"
                checked={one.available}
                disabled={busy || !may(permission.workCases)}
                onChange={(available) => change({ ...one, available })}
                checkedChildren="Available"
                unCheckedChildren="Away"
                aria-label={`${one.name} is available`}
              />
            </div>
            <Select
              mode="multiple"
              className="case-skills"
              aria-label={`Kinds of cases of ${one.name}`}
              placeholder="Every kind"
              value={one.skills}
              disabled={busy || !may(permission.workCases)}
              onChange={(skills) => change({ ...one, skills })}
              options={Object.entries(TYPOLOGIES).map(([value, label]) => ({ value, label }))}
            />
          </li>
        ))}
      </ul>
    </>
  );
}
