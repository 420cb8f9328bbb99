import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { contractWord } from "../../../shared/contracts";
import { count, counted, duration, milliseconds } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { TableBox } from "../../../shared/ui/TableBox";
import { When } from "../../../shared/ui/values";
import { Panel } from "./Panel";
import type { ContractFlow, JobsNow, StageDelay, TableFreshness } from "./queries";
import type { Part } from "./useBoard";

const STAGES: Record<StageDelay["stage"], string> = {
  decided: "Decided on",
  sums: "In the sums of dashboards",
  lake: "In the lake",
};

interface Row {
  key: string;
  name: ReactNode;
  values: readonly ReactNode[];
}

/** A table of numbers by name: the first of `heads` is above the names. */
function Numbers({
  heads,
  rows,
  children,
}: {
  heads: readonly string[];
  rows: readonly Row[];
  children?: ReactNode;
}) {
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            {heads.map((head, at) => (
              <th key={head} scope="col" className={at > 0 ? "right" : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, values }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {values.map((value, at) => (
                <td key={heads[at + 1]} className="right num nowrap">
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {children}
    </TableBox>
  );
}

/** How long it takes to each stage, and whether anything waits for it. */
export function StagesPart({ stages, ...part }: { stages: readonly StageDelay[] | null } & Part) {
  const rows = (stages ?? []).map((one) => ({
    key: one.stage,
    name: STAGES[one.stage],
    values: [duration(one.slowest_s), one.waiting_s === 0 ? "nothing" : duration(one.waiting_s)],
  }));
  return (
    <Panel
      title="By stage"
      about="from the arrival of a record"
      {...part}
      table={
        <Numbers heads={["Stage", "Slowest", "Waiting now"]} rows={rows}>
          <p className="muted board-notes">
            Slowest is 99 of 100 records for decisions, and the highest reading of each minute for the others.
          </p>
        </Numbers>
      }
    />
  );
}

/** What came of each contract, and how long its records waited. */
export function ContractsPart({ flows, ...part }: { flows: readonly ContractFlow[] } & Part) {
  const rows = flows.map((one) => ({
    key: one.contract,
    name: contractWord(one.contract),
    values: [
      ...[one.received, one.refused, one.duplicates].map(count),
      ...[one.p50_ms, one.p99_ms].map(milliseconds),
    ],
  }));
  return (
    <Panel
      title="By contract"
      about="records, and time to a decision"
      {...part}
      table={
        <Numbers heads={["Contract", "Received", "Refused", "Duplicates", "Half", "99 of 100"]} rows={rows} />
      }
    />
  );
}

/** How current each table of the lake is now. */
export function TablesPart({ tables, ...part }: { tables: readonly TableFreshness[] } & Part) {
  const rows = tables.map((one) => ({
    key: one.table,
    name: <code>{one.table}</code>,
    values: [count(one.rows), one.newest ? <When key="at" at={one.newest} /> : "–", duration(one.delay_s)],
  }));
  return (
    <Panel
      title="Tables of the lake"
      about="now"
      {...part}
      table={<Numbers heads={["Table", "Rows", "Newest", "Into it"]} rows={rows} />}
    />
  );
}

/** Work of the firm that has not ended, and what failed. */
export function JobsPart({ jobs, ...part }: { jobs: JobsNow | null } & Part) {
  return (
    <Panel
      title="Jobs"
      about="work of the firm"
      {...part}
      table={
        <dl className="facts board-facts">
          <div>
            <dt>Under way or in line</dt>
            <dd className="num">
              {counted(jobs?.open ?? 0, "run")}
              {jobs?.oldest_at ? (
                <>
                  , the oldest since <When at={jobs.oldest_at} />
                </>
              ) : null}
            </dd>
          </div>
          <div>
            <dt>Failed in this time</dt>
            <dd className="num">
              <Link to={paths.jobs}>{counted(jobs?.failed ?? 0, "run")}</Link>
            </dd>
          </div>
        </dl>
      }
    />
  );
}
