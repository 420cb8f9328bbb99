import { Link } from "@tanstack/react-router";
import { count, counted, duration, milliseconds } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { When } from "../../../shared/ui/values";
import { Panel } from "./Panel";
import type { ContractFlow, JobsNow, StageDelay, TableFreshness } from "./queries";
import type { Part } from "./useBoard";

const STAGES: Record<StageDelay["stage"], string> = {
  decided: "Decided on",
  sums: "In the sums of dashboards",
  lake: "In the lake",
};

/** How long it takes to each stage, and whether anything waits for it. */
export function StagesPart({ stages, ...part }: { stages: readonly StageDelay[] | null } & Part) {
  return (
    <Panel
      title="By stage"
      about="from the arrival of a record"
      {...part}
      table={
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col" className="right">
                  Slowest
                </th>
                <th scope="col" className="right">
                  Waiting now
                </th>
              </tr>
            </thead>
            <tbody>
              {stages?.map((one) => (
                <tr key={one.stage}>
                  <th scope="row">{STAGES[one.stage]}</th>
                  <td className="right num">{duration(one.slowest_s)}</td>
                  <td className="right num">{one.waiting_s === 0 ? "nothing" : duration(one.waiting_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="muted board-notes">
            Slowest is 99 of 100 records for decisions, and the highest reading of each minute for the others.
          </p>
        </div>
      }
    />
  );
}

/** What came of each contract, and how long its records waited. */
export function ContractsPart({ flows, ...part }: { flows: readonly ContractFlow[] } & Part) {
  const heads = ["Received", "Refused", "Duplicates", "Half", "99 of 100"];
  return (
    <Panel
      title="By contract"
      about="records, and time to a decision"
      {...part}
      table={
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Contract</th>
                {heads.map((head) => (
                  <th key={head} scope="col" className="right">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {flows.map((one) => (
                <tr key={one.contract}>
                  <th scope="row">
                    <code>{one.contract}</code>
                  </th>
                  {[one.received, one.refused, one.duplicates].map((value, at) => (
                    <td key={heads[at]} className="right num">
                      {count(value)}
                    </td>
                  ))}
                  {[one.p50_ms, one.p99_ms].map((value, at) => (
                    <td key={heads[at + 3]} className="right num nowrap">
                      {milliseconds(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      }
    />
  );
}

/** How current each table of the lake is now. */
export function TablesPart({ tables, ...part }: { tables: readonly TableFreshness[] } & Part) {
  return (
    <Panel
      title="Tables of the lake"
      about="now"
      {...part}
      table={
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Table</th>
                <th scope="col" className="right">
                  Rows
                </th>
                <th scope="col" className="right">
                  Newest
                </th>
                <th scope="col" className="right">
                  Into it
                </th>
              </tr>
            </thead>
            <tbody>
              {tables.map((one) => (
                <tr key={one.table}>
                  <th scope="row">
                    <code>{one.table}</code>
                  </th>
                  <td className="right num">{count(one.rows)}</td>
                  <td className="right nowrap">{one.newest ? <When at={one.newest} /> : "–"}</td>
                  <td className="right num nowrap">{duration(one.delay_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      }
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
