import { WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { count } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { useSession } from "../../../shared/session";
import { dateText } from "../../../shared/time";
import { Page } from "../../../shared/ui/Page";
import { NotYet } from "../../../shared/ui/states";
import { AsOf, When } from "../../../shared/ui/values";
import { CardPanel } from "./CardPanel";
import { ComparisonPanel } from "./ComparisonPanel";
import { ModelActs } from "./ModelActs";
import { type ModelDetail, modelQuery } from "./queries";
import { WatchPanel } from "./WatchPanel";
import { ModelState } from "./words";
import "./models.css";

/** One model: what it is, how good it was in its trial, how it does beside the champion and in service. */
export function ModelPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useQuery(modelQuery(id));
  const { data } = query;
  return (
    <Page
      title={data?.name ?? "Model"}
      aside={
        <>
          <Link to={paths.models}>All models</Link>
          {data ? <AsOf at={data.as_of} /> : null}
        </>
      }
    >
      <NotYet query={query} what="The model" rows={10} height={36} />
      {data ? <Whole model={data} /> : null}
    </Page>
  );
}

function Whole({ model }: { model: ModelDetail }) {
  const alarm = model.state === "champion" && model.last_watch && model.last_watch.says.length > 0;
  return (
    <>
      <header className="models-head">
        <ModelState state={model.state} />
        <span className="muted">
          version {model.version} of {model.product}
        </span>
        <ModelActs model={model} />
      </header>
      {alarm ? (
        <p role="alert" className="models-alarm">
          <WarningFilled aria-hidden /> {model.last_watch?.says.join(" ")}
        </p>
      ) : null}
      <div className="models-desk">
        <Facts model={model} />
        {model.state === "challenger" ? <ComparisonPanel model={model} /> : null}
        {model.last_watch ? <WatchPanel watch={model.last_watch} looks={model.looks} /> : null}
      </div>
      {model.card ? (
        <CardPanel card={model.card} threshold={model.threshold} />
      ) : (
        <p className="models-box muted">
          This model was brought from elsewhere, so it has no card: nothing is known here of what it learnt
          from, and the monitors have nothing to compare with.
        </p>
      )}
    </>
  );
}

function Facts({ model }: { model: ModelDetail }) {
  const { card } = model;
  return (
    <section aria-label="What it is" className="models-box">
      <h2>What it is</h2>
      <dl className="models-facts">
        <dt>Owner</dt>
        <dd>{model.owner || "–"}</dd>
        <dt>Registered</dt>
        <dd>
          <When at={model.registered_at} />
          {model.author ? ` by ${model.author}` : ""}
        </dd>
        {model.champion_at ? (
          <>
            <dt>Decided since</dt>
            <dd>
              <When at={model.champion_at} />
              {model.approved_by ? `, approved by ${model.approved_by}` : ""}
            </dd>
          </>
        ) : null}
        {card ? (
          <>
            <dt>Learnt from</dt>
            <dd>
              <span className="num">{count(card.rows)}</span> payments with{" "}
              <span className="num">{count(card.frauds)}</span> frauds,{" "}
              <Days from={card.learnt_since} to={card.learnt_until} />
            </dd>
            <dt>Tried on</dt>
            <dd>
              <span className="num">{count(card.tested_rows)}</span> payments with{" "}
              <span className="num">{count(card.tested_frauds)}</span> frauds,{" "}
              <Days from={card.tested_since} to={card.tested_until} />
            </dd>
            <dt>Labels</dt>
            <dd>
              {card.label_delay_days} days later,{" "}
              {card.labels === "as_known"
                ? "as they were known when the trial began"
                : "as known when it was learnt (the history was loaded at once)"}
            </dd>
            <dt>Threshold</dt>
            <dd>
              <span className="num">{model.threshold.toPrecision(4)}</span>{" "}
              {card.threshold_rule === "capacity"
                ? `so that ${count(card.threshold_target)} accounts a day are looked at`
                : `so that ${card.threshold_target * 100} % of genuine payments are stopped at most`}
            </dd>
            <dt>Parameters</dt>
            <dd>
              {Object.entries(card.parameters)
                .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`)
                .join(", ")}
            </dd>
          </>
        ) : null}
        <dt>SHA-256</dt>
        <dd>
          <code>{model.sha256}</code>
        </dd>
        {model.note ? (
          <>
            <dt>Note</dt>
            <dd>{model.note}</dd>
          </>
        ) : null}
      </dl>
    </section>
  );
}

function Days({ from, to }: { from: string; to: string }) {
  const { timeZone } = useSession();
  return (
    <span className="nowrap">
      {dateText(from, timeZone)} to {dateText(to, timeZone)}
    </span>
  );
}
