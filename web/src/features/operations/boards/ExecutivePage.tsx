import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { usd } from "../../../shared/money";
import { count, counted, duration, milliseconds } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { type Permission, permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Tile } from "../../../shared/ui/Tile";
import { When } from "../../../shared/ui/values";
import { Worth } from "../../../shared/ui/Worth";
import { BoardPage } from "./BoardPage";
import { GoalPanel } from "./GoalPanel";
import { GoalsDialog } from "./GoalsDialog";
import { type ExecutiveBoard, fetchExecutive, type Goal } from "./queries";
import { TargetsButton } from "./TargetsButton";
import { useBoard } from "./useBoard";
import { DAYS } from "./view";

type Name = "latency" | "false_positives" | "coverage" | "freshness" | "quality" | "protected";

interface Shown {
  name: Name;
  title: string;
  about: string;
  needs: Permission;
  /** What the figure is made of, in words. */
  made(goal: Goal): ReactNode;
  empty: string;
}

const GOALS: readonly Shown[] = [
  {
    name: "latency",
    title: "Fraud latency",
    about: "99 of 100 payments that came live are decided on within",
    needs: permission.readPipeline,
    made: ({ parts }) => (
      <>
        {counted(parts.payments ?? 0, "payment")}
        {parts.p50_us === undefined ? null : `, half of them within ${milliseconds(parts.p50_us / 1000)}`}
      </>
    ),
    empty: "No payment came live in this time: within five minutes of being made.",
  },
  {
    name: "false_positives",
    title: "False positives",
    about: "of payments not known as fraud, stopped and judged good",
    needs: permission.readPerformance,
    made: ({ parts }) => `${count(parts.legitimate ?? 0)} of ${counted(parts.payments ?? 0, "payment")}`,
    empty: "No alert on the payments of this time had been judged at the last look, every five minutes.",
  },
  {
    name: "coverage",
    title: "High value covered",
    about: "of payments above 800 USD, reviewed or blocked",
    needs: permission.readPerformance,
    made: ({ parts }) => `${count(parts.covered ?? 0)} of ${counted(parts.payments ?? 0, "payment")}`,
    empty: "No payment of this time above 800 USD had been decided on at the last look, every five minutes.",
  },
  {
    name: "protected",
    title: "Value at risk protected",
    about: "of the worth of known fraud, blocked",
    needs: permission.readPerformance,
    made: ({ parts }) => (
      <>
        <Worth usd={usd(parts.protected_usd_minor ?? 0)} /> blocked,{" "}
        <Worth usd={usd(parts.missed_usd_minor ?? 0)} /> went through
      </>
    ),
    empty: "No fraud of this time was known at the last look, every five minutes.",
  },
  {
    name: "freshness",
    title: "Freshness",
    about: "of minutes in which records were in the lake within 5 seconds",
    needs: permission.readLake,
    made: ({ parts }) => (
      <>
        {count(parts.late ?? 0)} of {counted(parts.minutes ?? 0, "minute")} late
        {parts.delay_ms === undefined ? null : `, now ${duration(parts.delay_ms / 1000)}`}
      </>
    ),
    empty: "The lake got no records in this time. It is looked at once a minute.",
  },
  {
    name: "quality",
    title: "Data quality",
    about: "of records that came, as their contract says",
    needs: permission.readQuality,
    made: ({ parts }) => `${count(parts.refused ?? 0)} of ${counted(parts.records ?? 0, "record")} refused`,
    empty: "No record came in this time.",
  },
];

/** What the firm is held to: each figure with its goal, its days and the page behind it. */
export function ExecutivePage() {
  const board = useBoard<ExecutiveBoard>(paths.overview, paths.streams.executive, fetchExecutive, DAYS);
  const { me, may } = useSession();
  const { data, error, retry, part, view } = board;
  const shown = GOALS.filter((one) => may(one.needs));
  return (
    <BoardPage
      title="Executive"
      board={board}
      quiet={shown.every(({ name }) => data?.[name]?.value == null)}
      act={
        <TargetsButton word="Goals">
          {(targets, close) => <GoalsDialog targets={targets} titles={GOALS} onClose={close} />}
        </TargetsButton>
      }
    >
      <Tiles data={data} error={error} onRetry={retry} shown={shown} />
      <div className="board-parts board-thirds">
        {shown.map((one) => (
          <GoalPanel
            key={one.name}
            title={one.title}
            about={one.about}
            goal={data?.[one.name] ?? null}
            made={one.made}
            link={<Behind name={one.name} days={Number.parseInt(view.span, 10)} />}
            {...part(one.name, false, "")}
            empty={one.empty}
          />
        ))}
      </div>
      <p className="muted">
        {data?.measured_at ? (
          <>
            What became of payments is as known at <When at={data.measured_at} />; it is looked at every five
            minutes.{" "}
          </>
        ) : null}
        Live is what came within five minutes of being made; what was loaded later does not count in the
        latency. Days are those of {me.tenant.name} for payments, and those of UTC for all else.
      </p>
    </BoardPage>
  );
}

function Tiles({
  data,
  error,
  onRetry,
  shown,
}: {
  data: ExecutiveBoard | undefined;
  error: unknown;
  onRetry(): void;
  shown: readonly Shown[];
}) {
  const { may } = useSession();
  const failed = (tile: string) => error ?? (data?.failed.includes(tile) ? new Error("failed") : null);
  const common = { loading: !data && !error, onRetry };
  const measured = shown.flatMap(({ name }) => data?.[name] ?? []).filter((goal) => goal.holds !== null);
  const held = measured.filter((goal) => goal.holds).length;
  const alerts = data?.alerts;
  return (
    <div className="tiles board-quarters">
      <Tile
        {...common}
        error={error}
        title="Goals held"
        meaning="Figures that reach their goal, of those that were measured in this time."
        value={measured.length > 0 ? `${held} of ${measured.length}` : "–"}
        note={
          measured.length < shown.length
            ? `${counted(shown.length - measured.length, "goal")} not measured yet`
            : "all measured"
        }
      />
      <Tile
        {...common}
        error={failed("alerts")}
        title="Open alerts"
        meaning="Alerts that nobody has judged yet, and the worth of their payments."
        value={<Leads to={may(permission.readAlerts) ? paths.fraud : null}>{count(alerts?.open ?? 0)}</Leads>}
        note={
          alerts ? (
            <>
              <Worth usd={alerts.open_amount_usd} /> at stake
            </>
          ) : null
        }
      />
      <Tile
        {...common}
        error={failed("alerts")}
        title="Blocked today"
        meaning="Payments that Finer stopped since midnight UTC."
        value={count(alerts?.blocked_today ?? 0)}
        note={
          alerts ? (
            <>
              <Worth usd={alerts.in_review_usd} /> in review
            </>
          ) : null
        }
      />
      {may(permission.readQuality) ? (
        <Tile
          {...common}
          error={failed("incidents")}
          title="Data incidents"
          meaning="What is not as usual with the records of a contract now."
          value={<Leads to={paths.quality}>{count(data?.incidents ?? 0)}</Leads>}
          note="open now"
        />
      ) : null}
    </div>
  );
}

function Leads({
  to,
  children,
}: {
  to: typeof paths.fraud | typeof paths.quality | null;
  children: ReactNode;
}) {
  return to ? <Link to={to}>{children}</Link> : children;
}

/** The page that the figure comes from. */
function Behind({ name, days }: { name: Name; days: number }) {
  if (name === "latency") return <Link to={paths.pipeline}>Pipeline</Link>;
  if (name === "freshness") return <Link to={paths.lake}>Lake</Link>;
  if (name === "quality") return <Link to={paths.quality}>Quality</Link>;
  return (
    <Link to={paths.performance} search={days === 30 ? {} : { days }}>
      Performance
    </Link>
  );
}
