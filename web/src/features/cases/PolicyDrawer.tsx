import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, InputNumber, Segmented, Select } from "antd";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { count, counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Overtaken } from "../../shared/ui/Overtaken";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { Loaded } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { useDraft } from "../../shared/useDraft";
import { PolicySteps } from "./PolicySteps";
import { editable, type ListName, read, same, UNITS, unitOf, withSteps } from "./policyDraft";
import { type Policy, policyQuery, setPolicy } from "./queries";
import { useAct } from "./useAct";
import { PRIORITIES, TYPOLOGIES } from "./words";
import "./policy.css";

const LISTS: Record<ListName, string> = { common: "Every case", ...TYPOLOGIES };
const PRIORITY_NAMES = ["urgent", "high", "normal"] as const;

function saysOf({ content }: Policy): Record<string, string> {
  const { priority_from_usd: from, due_minutes: due, common, checklists } = content;
  const time = (minutes: number) =>
    counted(minutes / UNITS[unitOf(minutes)], unitOf(minutes).replace(/s$/, ""));
  const steps = Object.entries({ common, ...checklists }).map(([list, all]) => [
    LISTS[list as ListName],
    all.map(({ text }) => text).join("\n"),
  ]);
  return {
    "Priority by expected loss": `urgent from ${count(from.urgent)} USD, high from ${count(from.high)} USD`,
    "Due after": PRIORITY_NAMES.map((name) => `${name} ${time(due[name])}`).join(", "),
    ...Object.fromEntries(steps),
  };
}

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
  return (
    <Loaded query={query} what="Priorities, due times and checklists" rows={6} height={40}>
      {(policy) => <Content newest={policy} onDone={onDone} />}
    </Loaded>
  );
}

function Content({ newest, onDone }: { newest: Policy; onDone(): void }) {
  const { may } = useSession();
  const client = useQueryClient();
  const [busy, act] = useAct();
  const editing = useDraft({
    newest,
    fields: ({ content }) => editable(content),
    version: ({ version }) => version,
  });
  const { draft, dirty, held: policy, write, take } = editing;
  const [list, setList] = useState<ListName>("common");
  const sets = may(permission.configureCases);
  const overtaken = async (error: unknown) => {
    // What somebody else made of it is shown beside what stands here, which says more than that they did.
    if (isProblem(error, 409)) await client.invalidateQueries({ queryKey: policyQuery.queryKey });
    const known = client.getQueryData(policyQuery.queryKey);
    if (!known || known.version === policy.version) throw error;
    return undefined;
  };
  const save = async () => {
    const kept = await act(
      () => setPolicy(policy.version, read(draft)).catch(overtaken),
      (saved) => saved && "Cases are worked by this from now on.",
    );
    if (kept && editing.settle(draft, kept)) onDone();
  };
  const steps = list === "common" ? draft.common : draft.checklists[list];
  return (
    <div className="policy">
      <Overtaken editing={editing} what="settings" says={saysOf} />
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
                usd !== null && write({ priority_from_usd: { ...draft.priority_from_usd, [name]: usd } })
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
            key={name}
            label={PRIORITIES[name]}
            minutes={draft.due_minutes[name]}
            disabled={!sets}
            onChange={(minutes) => write({ due_minutes: { ...draft.due_minutes, [name]: minutes } })}
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
          onChange={(next) => write(withSteps(draft, list, next))}
        />
      </section>
      {sets ? (
        <div className="policy-acts">
          <Button type="primary" disabled={!dirty} loading={busy} onClick={() => void save()}>
            Save
          </Button>
          <Button disabled={!dirty || busy} onClick={take}>
            Undo the changes
          </Button>
          <Button
            type="text"
            disabled={busy || same(draft, policy.standard)}
            onClick={() => write(editable(policy.standard))}
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
  const [chosen, setChosen] = useState(() => unitOf(minutes));
  // What somebody else has set, or what Finer comes with, may be no whole number of the unit that was chosen.
  const unit = minutes % UNITS[chosen] === 0 ? chosen : unitOf(minutes);
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
          setChosen(next);
        }}
        options={Object.keys(UNITS).map((value) => ({ value, label: value }))}
      />
    </div>
  );
}
