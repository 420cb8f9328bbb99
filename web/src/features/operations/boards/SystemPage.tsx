import { Link } from "@tanstack/react-router";
import { count, duration, milliseconds } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Plotted } from "../../../shared/ui/Plotted";
import { BoardPage } from "./BoardPage";
import { Panel } from "./Panel";
import { fetchSystem, type Sample, type SystemBoard } from "./queries";
import { SeriesTable } from "./SeriesTable";
import { SystemTiles } from "./SystemTiles";
import { type Line, seriesOption } from "./series";
import { ContractsPart, JobsPart, StagesPart, TablesPart } from "./systemParts";
import { type Part, useBoard } from "./useBoard";

const FLOW: Line[] = [
  { name: "received", title: "Received" },
  { name: "decided", title: "Processed" },
  { name: "duplicates", title: "Duplicates" },
  { name: "refused", title: "Refused" },
];
const LATENCY: Line[] = [
  { name: "p99_ms", title: "99 of 100" },
  { name: "p95_ms", title: "95 of 100" },
  { name: "p50_ms", title: "half" },
];
const QUEUES: Line[] = [
  { name: "decided", title: "To be decided" },
  { name: "sums", title: "To be summed up" },
];
const DATABASE: Line[] = [{ name: "answer_ms", title: "Answer" }];
const READ = "It is read once a minute; the first readings show after a minute or two.";

/** How the firm's part of the system does: how much, how fast to each stage, what waits, what fails. */
export function SystemPage() {
  const board = useBoard<SystemBoard>(paths.system, paths.streams.system, fetchSystem);
  const { may } = useSession();
  const { data, part } = board;
  return (
    <BoardPage title="System performance" board={board} quiet={data?.throughput?.every(nothing)}>
      <SystemTiles board={board} />
      <div className="board-parts">
        <Charted
          title="Throughput"
          about="records in each step of time"
          part={part("throughput", data?.throughput?.every(nothing) ?? false, "No record came in.")}
          moments={data?.throughput}
          lines={FLOW}
          text={count}
        />
        <Charted
          title="Time to a decision"
          about="from arrival to what was decided"
          part={part("latency", none(data?.latency), "No record was processed.")}
          moments={data?.latency}
          lines={LATENCY}
          text={milliseconds}
        />
        <StagesPart stages={data?.stages ?? null} {...part("stages", false, "")} />
        <ContractsPart
          flows={data?.contracts ?? []}
          {...part("contracts", data?.contracts?.length === 0, "No record came in.")}
        />
        <Charted
          title="Waiting"
          about="the firm's oldest record in line, the highest of each step"
          part={part("queues", none(data?.queues), READ)}
          moments={data?.queues}
          lines={QUEUES}
          text={duration}
        />
        <Charted
          title="Database"
          about="time to answer a question about the firm, the slowest of each step"
          part={part("database", none(data?.database), READ)}
          moments={data?.database}
          lines={DATABASE}
          text={milliseconds}
        />
        {may(permission.readLake) ? (
          <>
            <Charted
              title="Freshness"
              about="time into the lake by table, the slowest of each step"
              part={part("delays", none(data?.delays), `No record went into the lake. ${READ}`)}
              moments={data?.delays}
              lines={linesOf(data?.delays)}
              text={duration}
            />
            <TablesPart
              tables={data?.tables ?? []}
              {...part(
                "tables",
                data?.tables?.length === 0,
                "The lake is empty: its tables come with records.",
              )}
            />
          </>
        ) : null}
        {may(permission.readJobs) ? (
          <JobsPart jobs={data?.jobs ?? null} {...part("jobs", false, "")} />
        ) : null}
      </div>
      <p className="muted">
        All of it is of your firm's own records and work. <Link to={paths.pipeline}>The pipeline now</Link>
        {data ? `, steps of ${duration(data.bucket_s)}` : ""}.
      </p>
    </BoardPage>
  );
}

interface ChartedProps {
  title: string;
  about: string;
  part: Part;
  moments: readonly Sample[] | null | undefined;
  lines: readonly Line[];
  text(value: number): string;
}

function Charted({ title, about, part, moments, lines, text }: ChartedProps) {
  const shown = moments ?? [];
  return (
    <Panel
      title={title}
      about={about}
      {...part}
      chart={
        <Plotted
          label={`${title}: ${lines.map((line) => line.title).join(", ")} over time. The table holds the same numbers.`}
          option={(theme) => seriesOption(shown, lines, theme, (raw) => raw, text)}
        />
      }
      table={<SeriesTable moments={shown} lines={lines} text={text} />}
    />
  );
}

function nothing(moment: Sample): boolean {
  return Object.values(moment.values).every((each) => each === 0);
}

function none(samples: readonly Sample[] | null | undefined): boolean {
  return samples?.every((sample) => Object.keys(sample.values).length === 0) ?? false;
}

/** One line for each table that was read in the time shown. */
function linesOf(samples: readonly Sample[] | null | undefined): Line[] {
  const names = new Set(samples?.flatMap((sample) => Object.keys(sample.values)));
  return [...names].sort().map((name) => ({ name, title: name }));
}
