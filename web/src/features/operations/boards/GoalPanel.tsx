import type { ReactNode } from "react";
import { milliseconds } from "../../../shared/numbers";
import { dayText } from "../../../shared/time";
import { Plotted } from "../../../shared/ui/Plotted";
import { TableBox } from "../../../shared/ui/TableBox";
import { Tag } from "../../../shared/ui/tags";
import { goalOption } from "./goals";
import { Panel } from "./Panel";
import type { Goal } from "./queries";
import type { Part } from "./useBoard";
import { shareText } from "./view";

interface GoalPanelProps extends Omit<Part, "empty"> {
  title: string;
  about: string;
  goal: Goal | null;
  made(goal: Goal): ReactNode;
  link: ReactNode;
  empty: string;
}

/** A figure held to its goal: now, before, day by day, and the page behind it. */
export function GoalPanel({ goal, made, link, empty, ...part }: GoalPanelProps) {
  const text = (value: number | null) => figureText(goal, value);
  return (
    <Panel
      {...part}
      empty={goal && goal.value !== null ? null : empty}
      lead={goal && goal.value !== null ? <Lead goal={goal} made={made} link={link} text={text} /> : null}
      chart={
        goal ? (
          <Plotted
            className="plot board-goal-plot"
            height={150}
            label={`${part.title} day by day, beside the goal. The table holds the same numbers.`}
            option={(theme) => goalOption(goal, theme, text)}
          />
        ) : null
      }
      table={goal ? <Days goal={goal} text={text} /> : null}
    />
  );
}

interface LeadProps {
  goal: Goal;
  made(goal: Goal): ReactNode;
  link: ReactNode;
  text(value: number | null): string;
}

function Lead({ goal, made, link, text }: LeadProps) {
  return (
    <div className="board-goal">
      <p className="board-goal-value num">
        {text(goal.value)}
        <Tag {...(goal.holds ? { word: "Held", tone: "approve" } : { word: "Missed", tone: "block" })} />
      </p>
      <p className="muted">
        Goal {goal.target.at_most ? "at most" : "at least"} {text(goal.target.value)}, before{" "}
        {goal.before === null ? "not measured" : text(goal.before)}
      </p>
      <p className="muted">
        {made(goal)} · {link}
      </p>
    </div>
  );
}

function Days({ goal, text }: { goal: Goal; text(value: number | null): string }) {
  return (
    <TableBox className="board-series" label="Numbers of the chart">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" className="right">
              Figure
            </th>
          </tr>
        </thead>
        <tbody>
          {[...goal.series].reverse().map((point) => (
            <tr key={point.day}>
              <th scope="row">{dayText(Date.parse(point.day))}</th>
              <td className="right num">{text(point.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function figureText(goal: Goal | null, value: number | null): string {
  return goal?.target.unit === "ms" ? milliseconds(value) : shareText(value);
}
