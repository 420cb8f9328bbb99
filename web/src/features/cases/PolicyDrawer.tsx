import { useQuery } from "@tanstack/react-query";
import { Button, InputNumber, Segmented, Select } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { PolicySteps } from "./PolicySteps";
import {
  type Draft as Edited,
  editable,
  type ListName,
  read,
  same,
  UNITS,
  unitOf,
  withSteps,
} from "./policyDraft";
import { type Policy, policyQuery, setPolicy } from "./queries";
import { useAct } from "./useAct";
import { PRIORITIES, TYPOLOGIES } from "./words";
import "./policy.css";

const LISTS: Record<ListName, string> = { common: "Every case", ...TYPOLOGIES };
const PRIORITY_NAMES = ["urgent", "high", "normal"] as const;

/** From which expected loss cases are urgent, until when they are due, and which steps an investigation takes. */
export function PolicyDrawer({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <SideDrawer open={open} onClose={onClose} size={720} title="Priorities, due times and checklists">
      {open ? <Found onDone={onClose} /> : null}
    </SideDrawer>
  );
}

function Found({ onDone }: { onDone(): void }) {
  const query = useQuery(policyQuery);
  if (query.error && !query.data)
    return (
      <FailureState
        what="Priorities, due times and checklists"
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  if (!query.data)
    return <RowsSkeleton rows={6} height={40} label="Loading priorities, due times and checklists" />;
  // What somebody else has set meanwhile is begun from anew: the server would refuse what was built on the one before.
  return <Content key={query.data.version} policy={query.data} onDone={onDone} />;
}

function Content({ policy, onDone }: { policy: Policy; onDone(): void }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  const [draft, setDraft] = useState<Edited>(() => editable(policy.content));
  const [list, setList] = useState<ListName>("common");
  const sets = may(permission.configureCases);
  const touched = !same(draft, policy.content);
  const save = async () => {
    const kept = await act(
      () => setPolicy(policy.version, read(draft)),
      () => "Cases are worked by this from now on.",
    );
    if (kept) onDone();
  };
  const steps = list === "common" ? draft.common : draft.checklists[list];
  return (
    <div className="policy">
      <p className="muted">
        {policy.changed_at ? (
          <>
            Version {policy.version}, set by {policy.changed_by} <When at={policy.changed_at} />.
          </>
        ) : (
          "As it comes with Finer: nobody has changed it."
        )}{" "}
        Open cases keep their steps; their priorities and due times move along.
      </p>
      <section aria-label="Priorities">
        <h2>Priority by expected loss</h2>
        {(["urgent", "high"] as const).map((name) => (
          <div key={name} className="policy-due">
            <span>{PRIORITIES[name]}</span>
            <InputNumber
              className="policy-from"
              aria-label={`${PRIORITIES[name]}: from an expected loss of, in US dollars`}
              prefix="from"
              suffix="USD"
              min={0}
              precision={0}
              value={draft.priority_from_usd[name]}
              disabled={!sets}
              onChange={(usd) =>
                usd !== null &&
                setDraft({ ...draft, priority_from_usd: { ...draft.priority_from_usd, [name]: usd } })
              }
            />
          </div>
        ))}
        <p className="muted">
          {draft.priority_from_usd.urgent < draft.priority_from_usd.high
            ? "Urgent has to begin at the loss of high, or at a larger one."
            : "Every other case is normal. Expected loss is amount times probability of fraud, of the open alerts."}
        </p>
      </section>
      <section aria-label="Due times">
        <h2>Due after</h2>
        {PRIORITY_NAMES.map((name) => (
          <DueTime
            // Another unit may fit better once the whole draft was replaced.
            key={`${name} ${draft.made}`}
            label={PRIORITIES[name]}
            minutes={draft.due_minutes[name]}
            disabled={!sets}
            onChange={(minutes) =>
              setDraft({ ...draft, due_minutes: { ...draft.due_minutes, [name]: minutes } })
            }
          />
        ))}
      </section>
      <section aria-label="Checklists">
        <h2>Steps of the investigation</h2>
        <Segmented<ListName>
          className="policy-lists"
          aria-label="Kind of case"
          value={list}
          onChange={setList}
          options={(Object.keys(LISTS) as ListName[]).map((value) => ({ value, label: LISTS[value] }))}
        />
        <PolicySteps
          steps={steps}
          of={LISTS[list]}
          disabled={!sets}
          onChange={(next) => setDraft(withSteps(draft, list, next))}
        />
      </section>
      {sets ? (
        <div className="policy-acts">
          <Button type="primary" disabled={!touched} loading={busy} onClick={() => void save()}>
            Save
          </Button>
          <Button disabled={!touched || busy} onClick={() => setDraft(editable(policy.content))}>
            Undo the changes
          </Button>
          <Button
            type="text"
            disabled={busy || same(draft, policy.standard)}
            onClick={() => setDraft(editable(policy.standard))}
          >
            As it comes with Finer
          </Button>
        </div>
      ) : null}
    </div>
  );
}

interface DueTimeProps {
  label: string;
  minutes: number;
  disabled: boolean;
  onChange(minutes: number): void;
}

function DueTime({ label, minutes, disabled, onChange }: DueTimeProps) {
  const [unit, setUnit] = useState(() => unitOf(minutes));
  const each = UNITS[unit];
  return (
    <div className="policy-due">
      <span>{label}</span>
      <InputNumber
        aria-label={`${label}: due after, in ${unit}`}
        min={1}
        precision={0}
        value={Math.max(1, Math.round(minutes / each))}
        disabled={disabled}
        onChange={(value) => value !== null && onChange(value * each)}
      />
      <Select<keyof typeof UNITS>
        aria-label={`${label}: unit`}
        value={unit}
        disabled={disabled}
        onChange={(next) => {
          onChange(Math.max(1, Math.round(minutes / each)) * UNITS[next]);
          setUnit(next);
        }}
        options={Object.keys(UNITS).map((value) => ({ value, label: value }))}
      />
    </div>
  );
}
