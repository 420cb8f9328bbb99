import { Button, Segmented, Select } from "antd";
import type { ReactNode } from "react";
import { dateText } from "../../../shared/time";
import { Behind } from "../../../shared/ui/Behind";
import { LiveControl } from "../../../shared/ui/LiveControl";
import { Page } from "../../../shared/ui/Page";
import { EmptyState } from "../../../shared/ui/states";
import { AsOf } from "../../../shared/ui/values";
import { WhereFrom } from "../../../shared/ui/WhereFrom";
import type { Board } from "./useBoard";
import { type BoardView, regionText, SPAN_WORDS } from "./view";
import "./boards.css";

interface BoardPageProps<T> {
  title: string;
  board: Board<T>;
  regions?: readonly string[];
  channels?: readonly string[];
  /** Stands behind the filters. */
  act?: ReactNode;
  /** Nothing came in in this time: says once where it would come from. */
  quiet?: boolean;
  /** Stands in place of all parts while nothing came in, neither in this time nor in the one before: what would be here. */
  instead?: string | null;
  children: ReactNode;
}

/** The frame of a dashboard: which time it shows, what it is narrowed to, as of when, live or paused. */
export function BoardPage<T extends { as_of: string; behind_since?: string | null; newest?: string | null }>({
  title,
  board,
  regions,
  channels,
  act,
  quiet = false,
  instead,
  children,
}: BoardPageProps<T>) {
  const { view, change } = board;
  const silent = quiet && board.data !== undefined && !board.data.behind_since;
  return (
    <Page
      title={title}
      aside={
        <>
          <AsOf at={board.data?.as_of} staleAfterS={board.paused ? undefined : 45} />
          <LiveControl state={board.state} paused={board.paused} onPause={board.pause} />
        </>
      }
    >
      <search className="board-filters" aria-label="What is shown">
        <Segmented
          aria-label="Time"
          className="board-spans"
          value={view.span}
          options={board.times.spans.map((value) => ({ value, label: SPAN_WORDS[value] }))}
          onChange={(span) => change({ ...view, span })}
        />
        {regions ? (
          <Choice
            label="Region"
            text={regionText}
            value={view.region}
            values={regions}
            onChange={(region) => change({ ...view, region })}
          />
        ) : null}
        {channels ? (
          <Choice
            label="Channel"
            value={view.channel}
            values={channels}
            onChange={(channel) => change({ ...view, channel })}
          />
        ) : null}
        {act}
      </search>
      {board.data?.behind_since ? <Behind since={board.data.behind_since} asOf={board.data.as_of} /> : null}
      {silent && !instead ? (
        <div className="board-quiet">
          Nothing came in that this page shows. <WhereFrom />
        </div>
      ) : null}
      {silent && instead ? (
        <section className="part">
          <EmptyState title={`No records ${lastText(view)}`} action={<Wider board={board} />}>
            {board.data?.newest
              ? `The newest record that this page is made of is of ${dateText(board.data.newest, "UTC")}.`
              : instead}
          </EmptyState>
        </section>
      ) : (
        children
      )}
    </Page>
  );
}

function lastText({ span, region, channel }: BoardView): string {
  const where = [region && regionText(region), channel].filter(Boolean).join(", ");
  return `in the last ${SPAN_WORDS[span].toLowerCase()}${where ? ` for ${where}` : ""}`;
}

/** What shows more than is shown, as long as anything does; and where records come from. */
function Wider<T>({ board: { view, times, change } }: { board: Board<T> }) {
  const longest = times.spans[times.spans.length - 1] ?? view.span;
  if (!view.region && !view.channel && view.span === longest) return <WhereFrom />;
  return (
    <>
      <Button onClick={() => change({ span: longest })}>
        Look at {SPAN_WORDS[longest]}
        {view.region || view.channel ? ", everywhere" : ""}
      </Button>
      <WhereFrom />
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string | undefined;
  values: readonly string[];
  /** A value as people read it. */
  text?(value: string): string;
  onChange(value: string | undefined): void;
}

function Choice({ label, value, values, text = (each) => each, onChange }: ChoiceProps) {
  // What the address names is offered even when no record has it.
  const all = value && !values.includes(value) ? [value, ...values] : values;
  // Records of one contract may say PH where those of another say Philippines: both are offered, told apart by the code.
  const word = (each: string) =>
    text(each) !== each && all.includes(text(each)) ? `${text(each)} (${each})` : text(each);
  return (
    <Select
      aria-label={label}
      placeholder={`Any ${label.toLowerCase()}`}
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      className="board-choice"
      value={value}
      onChange={onChange}
      options={all.map((each) => ({ value: each, label: word(each) }))}
    />
  );
}
