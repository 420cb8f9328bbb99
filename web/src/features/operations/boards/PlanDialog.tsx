import { useQueryClient } from "@tanstack/react-query";
import { Form, InputNumber, Select } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { setTargets, type Targets, targetsQuery } from "./queries";
import { SetBy } from "./SetBy";

interface PlanDialogProps {
  targets: Targets;
  /** The figures that can be planned, with their titles. */
  figures: readonly { name: string; title: string }[];
  currency: string;
  /** Minor units of one unit of the currency. */
  scale: number;
  onClose(): void;
}

interface Fields {
  month: string;
  amounts: Record<string, number | null>;
}

/** What the firm plans for a month; every other month stays as it is. */
export function PlanDialog({ targets, figures, currency, scale, onClose }: PlanDialogProps) {
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const months = monthsAround(new Date());
  const amountsOf = (month: string) => {
    const known = targets.plans.find((one) => one.month === month)?.amounts ?? {};
    return Object.fromEntries(
      figures.map(({ name }) => {
        const amount = known[name];
        return [name, amount?.currency === currency ? amount.minor / scale : null];
      }),
    );
  };
  const submit = async ({ month, amounts }: Fields) => {
    const minor = Object.entries(amounts).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, Math.round(value * scale)] as const],
    );
    const others = targets.plans.filter((one) => one.month !== month);
    const plans = [
      ...others.map((one) => ({
        month: one.month,
        amounts_minor: Object.fromEntries(
          Object.entries(one.amounts).map(([name, amount]) => [name, amount.minor]),
        ),
      })),
      { month, amounts_minor: Object.fromEntries(minor) },
    ];
    await setTargets({ version: targets.version, goals: targets.goals, plans });
    await client.invalidateQueries({ queryKey: targetsQuery.queryKey });
  };
  return (
    <FormDialog<Fields>
      title="Plan of a month"
      okText="Set the plan"
      form={form}
      initialValues={{ month: months[1], amounts: amountsOf(months[1] ?? "") }}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted board-dialog-note">
        For the whole firm, in {currency}. It is spread evenly over the days of the month; a figure that is
        left empty has no plan. <SetBy targets={targets} />
      </p>
      <Form.Item name="month" label="Month">
        <Select
          options={months.map((value) => ({ value, label: monthText(value) }))}
          onChange={(month) => form.setFieldsValue({ amounts: amountsOf(month) })}
        />
      </Form.Item>
      {figures.map(({ name, title }) => (
        <Form.Item key={name} name={["amounts", name]} label={title}>
          <InputNumber<number> min={0} max={1e12} precision={Math.log10(scale)} className="board-number" />
        </Form.Item>
      ))}
    </FormDialog>
  );
}

/** The month before, this one, and the twelve after it. */
function monthsAround(now: Date): string[] {
  return Array.from({ length: 14 }, (_, at) => {
    const month = new Date(Date.UTC(now.getFullYear(), now.getMonth() + at - 1, 1));
    return month.toISOString().slice(0, 7);
  });
}

function monthText(month: string): string {
  return new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}
