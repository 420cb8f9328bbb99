import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Drawer, Input, InputNumber, Segmented, Select } from "antd";
import { useState } from "react";
import { newKey } from "../../api/keys";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import {
  type DraftStep,
  type Draft as Edited,
  editable,
  type ListName,
  moved,
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

/** Until when cases are due, and which steps an investigation takes. */
export function PolicyDrawer({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <Drawer open={open} onClose={onClose} size={720} title="Due times and checklists" destroyOnHidden>
      {open ? <Found onDone={onClose} /> : null}
    </Drawer>
  );
}

function Found({ onDone }: { onDone(): void }) {
  const query = useQuery(policyQuery);
  if (query.error && !query.data)
    return (
      <FailureState
        what="Due times and checklists"
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  if (!query.data) return <RowsSkeleton rows={6} height={40} label="Loading due times and checklists" />;
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
        Open cases keep their steps, and their due times move along.
      </p>
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
        <Steps
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

interface StepsProps {
  steps: readonly DraftStep[];
  of: string;
  disabled: boolean;
  onChange(steps: DraftStep[]): void;
}

function Steps({ steps, of, disabled, onChange }: StepsProps) {
  const write = (key: string, text: string) =>
    onChange(steps.map((one) => (one.key === key ? { ...one, text } : one)));
  return (
    <>
      {steps.length === 0 ? <p className="muted">No step of its own.</p> : null}
      <ol className="policy-steps">
        {steps.map((one, place) => (
          <li key={one.key}>
            {disabled ? (
              one.text
            ) : (
              <>
                <Input
                  aria-label={`${of}: step ${place + 1}`}
                  value={one.text}
                  maxLength={200}
                  placeholder="What is to be done"
                  status={one.text.trim().length < 3 ? "warning" : undefined}
                  onChange={(event) => write(one.key, event.target.value)}
                />
                <Button
                  type="text"
                  icon={<ArrowUpOutlined />}
                  aria-label={`Move step ${place + 1} up`}
                  disabled={place === 0}
                  onClick={() => onChange(moved(steps, place, -1))}
                />
                <Button
                  type="text"
                  icon={<ArrowDownOutlined />}
                  aria-label={`Move step ${place + 1} down`}
                  disabled={place === steps.length - 1}
                  onClick={() => onChange(moved(steps, place, 1))}
                />
                <Button
                  type="text"
                  icon={<DeleteOutlined />}
                  aria-label={`Remove step ${place + 1}`}
                  onClick={() => onChange(steps.filter((each) => each.key !== one.key))}
                />
              </>
            )}
          </li>
        ))}
      </ol>
      {disabled || steps.length >= 20 ? null : (
        <Button
          size="small"
          onClick={() => onChange([...steps, { key: `new-${newKey()}`, text: "", id: "" }])}
        >
          Add a step
        </Button>
      )}
    </>
  );
}
