import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Select } from "antd";
import { type Entry, fullName, KINDS, type Kind } from "../../shared/lineage";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { type ContractDetail, readersQuery } from "./queries";

const TITLES: Partial<Record<Kind, string>> = {
  column: "Derived columns",
  feature: "Features",
  model: "Models",
  rule: "Rules",
  alert: "Alerts and their pages",
  lake: "Columns of the lake",
  metric: "Metrics",
  query: "Saved queries",
  dashboard: "Dashboards and pages of numbers",
  segment: "Segments of customers",
  schedule: "Scheduled queries, yours",
  metric_alert: "Alerts on metrics, yours",
  monitor: "Monitors of quality",
};

interface ReaderListProps {
  detail: ContractDetail;
  field: string | undefined;
  onField(field: string): void;
}

/** Everything that would notice a change of a field. */
export function ReaderList({ detail, field, onField }: ReaderListProps) {
  const names = detail.fields.map((one) => one.name);
  const shown = field && names.includes(field) ? field : names[0];
  return (
    <div className="contracts-readers">
      <div className="filters">
        <Select
          showSearch
          aria-label="Field"
          className="contracts-field"
          value={shown}
          onChange={onField}
          options={names.map((value) => ({ value, label: value }))}
        />
      </div>
      {shown ? <Readers contract={detail.summary.name} field={shown} /> : null}
    </div>
  );
}

function Readers({ contract, field }: { contract: string; field: string }) {
  const { data, error, refetch } = useQuery(readersQuery(contract, field));
  if (error && !data)
    return <FailureState what="The list of readers" error={error} onRetry={() => void refetch()} />;
  if (!data) return <RowsSkeleton rows={5} height={36} label="Looking for readers" />;
  const groups = (Object.keys(TITLES) as Kind[])
    .map((kind) => ({ kind, entries: data.filter((one) => one.kind === kind) }))
    .filter((one) => one.entries.length > 0);
  if (groups.length === 0)
    return (
      <p className="contracts-none muted">
        Nothing reads {field} yet. It is in the lake once a record with it has come in.
      </p>
    );
  return (
    <div className="contracts-groups">
      {groups.map(({ kind, entries }) => (
        <section key={kind} aria-label={TITLES[kind]}>
          <h2>
            {TITLES[kind]} <span className="muted num">{entries.length}</span>
          </h2>
          <ul>
            {entries.map((one) => (
              <li key={one.id}>
                <Link to={paths.catalogue} search={{ entry: one.id }}>
                  {fullName(one)}
                </Link>
                {one.about || one.owner ? <span className="muted"> {one.about || one.owner}</span> : null}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** "12 features, 3 rules and 1 query", for a field that is about to change. */
export function Impact({ contract, field }: { contract: string; field: string }) {
  const { data } = useQuery({ ...readersQuery(contract, field), retry: false });
  if (!data) return null;
  return (
    <Link to={paths.contract} params={{ contract }} search={{ tab: "readers", field }}>
      {data.length === 0 ? `Nothing reads ${field}` : `${field} is read by ${summed(data)}`}
    </Link>
  );
}

function summed(readers: readonly Entry[]): string {
  const parts = (
    [
      "feature",
      "model",
      "rule",
      "metric",
      "query",
      "dashboard",
      "segment",
      "schedule",
      "metric_alert",
    ] as const
  )
    .map((kind) => [kind, readers.filter((one) => one.kind === kind).length] as const)
    .filter(([, many]) => many > 0)
    .map(([kind, many]) => counted(many, KINDS[kind].toLowerCase(), PLURALS[kind]));
  return parts.length > 0 ? parts.join(", ") : counted(readers.length, "reader");
}

const PLURALS = {
  feature: "features",
  model: "models",
  rule: "rules",
  metric: "metrics",
  query: "queries",
  dashboard: "dashboards",
  segment: "segments",
  schedule: "scheduled queries",
  metric_alert: "alerts on metrics",
};
