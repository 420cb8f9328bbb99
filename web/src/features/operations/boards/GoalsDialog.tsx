import { useQueryClient } from "@tanstack/react-query";
import { Form, InputNumber } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { setTargets, type Targets, targetsQuery } from "./queries";
import { SetBy } from "./SetBy";

interface GoalsDialogProps {
  targets: Targets;
  titles: readonly { name: string; title: string }[];
  onClose(): void;
}

type Fields = Record<string, number | null>;

/** What the figures of those who steer have to reach; one that is left empty is held to the goal of the house. */
export function GoalsDialog({ targets, titles, onClose }: GoalsDialogProps) {
  const client = useQueryClient();
  const shown = titles.filter(({ name }) => targets.standard[name]);
  const submit = async (fields: Fields) => {
    const goals = Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) =>
        value === null || value === undefined ? [] : [[name, value / scaleOf(targets, name)] as const],
      ),
    );
    const plans = targets.plans.map(({ month, amounts }) => ({
      month,
      amounts_minor: Object.fromEntries(Object.entries(amounts).map(([name, one]) => [name, one.minor])),
    }));
    await setTargets({ version: targets.version, goals, plans });
    await client.invalidateQueries({ queryKey: targetsQuery.queryKey });
  };
  return (
    <FormDialog<Fields>
      title="Goals"
      okText="Set the goals"
      initialValues={Object.fromEntries(
        shown.map(({ name }) => {
          const goal = targets.goals[name];
          return [name, goal === undefined ? null : rounded(goal * scaleOf(targets, name))];
        }),
      )}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted board-dialog-note">
        A goal that is left empty is the one that comes with Finer. <SetBy targets={targets} />
      </p>
      {shown.map(({ name, title }) => {
        const standard = targets.standard[name];
        const scale = scaleOf(targets, name);
        return (
          <Form.Item
            key={name}
            name={name}
            label={`${title}: ${standard?.at_most ? "at most" : "at least"}, in ${scale === 1 ? "ms" : "%"}`}
          >
            <InputNumber<number>
              min={0.001}
              max={scale === 1 ? 3_600_000 : 100}
              placeholder={String(rounded((standard?.value ?? 0) * scale))}
              className="board-number"
            />
          </Form.Item>
        );
      })}
    </FormDialog>
  );
}

/** Shares are written as percent, milliseconds as they are. */
function scaleOf(targets: Targets, name: string): number {
  return targets.standard[name]?.unit === "share" ? 100 : 1;
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
