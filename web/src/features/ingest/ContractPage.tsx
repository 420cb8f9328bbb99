import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { App, Button } from "antd";
import { contractWord } from "../../shared/contracts";
import { count, counted, measure } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { type Permission, permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Fact } from "../../shared/ui/Fact";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { FieldTable } from "./FieldTable";
import { beginDraft, type ContractDetail, contractQuery, qualityQuery } from "./queries";
import { ReaderList } from "./ReaderList";
import { SampleTable } from "./SampleTable";
import { VersionList } from "./VersionList";
import "./contracts.css";

const TABS = {
  fields: "Fields",
  rules: "Rules",
  readers: "Who reads it",
  versions: "Versions",
  sample: "Sample",
} as const;
type Tab = keyof typeof TABS;
const NEEDS: Partial<Record<Tab, Permission>> = {
  readers: permission.readLineage,
  sample: permission.sampleContracts,
};

/** One contract: what its records are held to, who answers for it, and every version there was. */
export function ContractPage() {
  const { contract } = useParams({ strict: false }) as { contract: string };
  const query = useQuery(contractQuery(contract));
  return (
    <Page title={contractWord(contract)} aside={<Link to={paths.contracts}>All contracts</Link>}>
      <NotYet query={query} what="The contract" rows={8} height={40} />
      {query.data ? <Contract detail={query.data} /> : null}
    </Page>
  );
}

function Contract({ detail }: { detail: ContractDetail }) {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const { may } = useSession();
  const { summary } = detail;
  const tabs = (Object.keys(TABS) as Tab[]).filter((tab) => {
    const needs = NEEDS[tab];
    return needs === undefined || may(needs);
  });
  const shown = tabs.find((tab) => tab === search.tab) ?? "fields";
  const go = (tab: Tab, field?: string) =>
    void navigate({
      to: paths.contract,
      params: { contract: summary.name },
      search: tab === "fields" ? {} : { tab, ...(field ? { field } : {}) },
      resetScroll: false,
    });
  return (
    <>
      <p className="contracts-about">
        <code>{summary.name}</code> · {summary.description}
      </p>
      <Facts detail={detail} />
      <Actions detail={detail} />
      <section className="part" aria-label={TABS[shown]}>
        <Parts
          label="Parts of the contract"
          parts={tabs.map((name) => ({ name, title: TABS[name] }))}
          shown={shown}
          onShow={(tab) => go(tab)}
        >
          {shown === "fields" ? (
            <FieldTable
              contract={summary.name}
              fields={detail.fields}
              readers={may(permission.readLineage) && summary.in_force}
            />
          ) : null}
          {shown === "rules" ? <RuleList detail={detail} /> : null}
          {shown === "readers" ? (
            <ReaderList
              detail={detail}
              field={typeof search.field === "string" ? search.field : undefined}
              onField={(field) => go("readers", field)}
            />
          ) : null}
          {shown === "versions" ? <VersionList detail={detail} /> : null}
          {shown === "sample" ? <SampleTable contract={summary.name} /> : null}
        </Parts>
      </section>
    </>
  );
}

function Facts({ detail }: { detail: ContractDetail }) {
  const { summary, service_levels, payloads, team } = detail;
  const { may } = useSession();
  return (
    <dl className="facts contracts-facts">
      <Fact name="Version">
        <span className="num">{summary.version}</span>{" "}
        {summary.in_force ? null : <Tag word="Draft only" tone="review" />}
        {summary.built_in ? <Tag word="Comes with Finer" tone="quiet" /> : null}
      </Fact>
      <Fact name="Owner">
        {team.length > 0
          ? team.map((one) => `${one.name}${one.role ? ` (${one.role})` : ""}`).join(", ")
          : "–"}
      </Fact>
      <Fact name="Records in 24 h">
        <Link
          to={paths.pipeline}
          search={{ tab: "receipts", contract: summary.name }}
          hash="records"
          className="num"
        >
          {count(summary.received)}
        </Link>
      </Fact>
      <Fact name="Quarantined">
        <Link to={paths.pipeline} search={{ contract: summary.name }} hash="records" className="num">
          {count(summary.quarantined)}
        </Link>{" "}
        {summary.quarantined_share === null ? null : (
          <span className="muted num">({measure(summary.quarantined_share * 100)} %)</span>
        )}
      </Fact>
      {may(permission.readQuality) ? <Quality contract={summary.name} /> : null}
      <Fact name="Last record">{summary.last_event_at ? <When at={summary.last_event_at} /> : "–"}</Fact>
      {service_levels.map((one) => (
        <Fact key={one.property} name={`Promised ${one.property}`}>
          <span className="num" title={one.description}>
            {one.value} {one.unit === "percent" ? "%" : one.unit}
          </span>
        </Fact>
      ))}
      {payloads.length > 0 ? <Fact name="Bodies taken as they come">{payloads.join(", ")}</Fact> : null}
    </dl>
  );
}

/** Nothing where no score is kept of a contract, such as before its first record. */
function Quality({ contract }: { contract: string }) {
  const { data } = useQuery({ ...qualityQuery(contract), retry: false });
  if (!data || data.score === null) return null;
  return (
    <Fact name="Quality score">
      <Link to={paths.quality} search={{ contract }} className="num">
        {measure(Math.floor(data.score * 10_000) / 100)} %
      </Link>{" "}
      <span className="muted">
        of <span className="num">{count(data.received)}</span>
      </span>
      {data.open_incidents > 0 ? (
        <Tag word={counted(data.open_incidents, "open incident")} tone="review" />
      ) : null}
    </Fact>
  );
}

function Actions({ detail }: { detail: ContractDetail }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const { name, in_force } = detail.summary;
  const begin = async () => {
    try {
      const draft = await beginDraft(name);
      await navigate({ to: paths.contractDraft, params: { draft: draft.id } });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  return (
    <div className="contracts-actions">
      {may(permission.writeContracts) && in_force ? (
        <Button type="primary" onClick={() => void begin()}>
          Write a new version
        </Button>
      ) : null}
      {detail.drafts.map((draft) => (
        <Link key={draft.id} to={paths.contractDraft} params={{ draft: draft.id }}>
          Draft {draft.version} by {draft.author}
          {draft.tried ? ", tried" : ""}
        </Link>
      ))}
      {in_force ? (
        <span className="contracts-exports">
          <span className="muted">As a file:</span>
          {(["odcs", "json-schema", "markdown"] as const).map((form) => (
            <a key={form} href={`/api/v1/contracts/${name}/export?form=${form}`} download>
              {{ odcs: "ODCS YAML", "json-schema": "JSON Schema", markdown: "Markdown" }[form]}
            </a>
          ))}
        </span>
      ) : null}
    </div>
  );
}

function RuleList({ detail }: { detail: ContractDetail }) {
  if (detail.rules.length === 0)
    return <p className="contracts-none muted">No rule looks at several fields of a record together.</p>;
  return (
    <ul className="contracts-list">
      {detail.rules.map((rule) => (
        <li key={rule.name}>
          <p>
            <strong>{rule.sentence}</strong>
          </p>
          <p className="muted">
            {rule.name}: <code>{rule.condition}</code>
          </p>
        </li>
      ))}
    </ul>
  );
}
