import { WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { count } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { Page } from "../../../shared/ui/Page";
import { Sparkline } from "../../../shared/ui/Sparkline";
import { NotYet } from "../../../shared/ui/states";
import { AsOf, When } from "../../../shared/ui/values";
import { PricePanel } from "./PricePanel";
import { type RuleDetail, type RuleVersion, ruleQuery } from "./queries";
import { RuleActs } from "./RuleActs";
import { RuleEditor, useRuleDraft } from "./RuleEditor";
import { RuleVersions } from "./RuleVersions";
import { RuleState } from "./words";
import "./rules.css";

/** One rule: what it says, what it would do, what it does, and how it came about. */
export function RulePage() {
  const { rule } = useParams({ strict: false }) as { rule: string };
  const query = useQuery(ruleQuery(rule));
  const { data } = query;
  const shown = data ? current(data) : undefined;
  return (
    <Page
      title={shown?.text.title ?? rule}
      aside={
        <>
          <Link to={paths.rules}>All rules</Link>
          {data ? <AsOf at={data.as_of} /> : null}
        </>
      }
    >
      <NotYet query={query} what="The rule" rows={10} height={36} />
      {data && shown ? <Whole key={data.rule} detail={data} shown={shown} /> : null}
    </Page>
  );
}

/** The version that is worked on: a draft before one in shadow, that before the live one. */
function current(detail: RuleDetail): RuleVersion | undefined {
  const order = ["draft", "shadow", "live", "retired"];
  return [...detail.versions].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}

function Whole({ detail, shown }: { detail: RuleDetail; shown: RuleVersion }) {
  const stopped = detail.versions.find((one) => one.demoted_at);
  const editing = useRuleDraft(shown);
  return (
    <>
      {stopped ? (
        <p role="alert" className="rules-alarm">
          <WarningFilled aria-hidden /> The brake stopped version {stopped.version}{" "}
          {stopped.demoted_at ? <When at={stopped.demoted_at} /> : null}. {stopped.demotion}
        </p>
      ) : null}
      <div className="rules-desk">
        <section aria-label="What it says" className="rules-main">
          <header className="rules-head">
            <RuleState state={shown.state} />
            <span className="muted">
              <code>{detail.rule}</code> version {shown.version}
              {shown.author ? `, by ${shown.author}` : ""}
            </span>
            <RuleActs detail={detail} shown={shown} unsaved={editing.dirty} />
          </header>
          <RuleEditor editing={editing} />
        </section>
        <aside className="rules-side">
          <PricePanel version={shown} unsaved={editing.dirty} />
          <Activity detail={detail} />
        </aside>
      </div>
      <RuleVersions detail={detail} />
    </>
  );
}

const HOUR = 3_600_000;
const WEEK = 7 * 24;

/** Hits of each hour of the week that ends now, hours without one included. */
function byHour(rows: RuleDetail["hours"], now: string): number[] {
  const last = Math.floor(Date.parse(now) / HOUR);
  const hits = new Map(rows.map((one) => [Math.floor(Date.parse(one.hour) / HOUR), one.hits]));
  return Array.from({ length: WEEK }, (_, i) => hits.get(last - WEEK + 1 + i) ?? 0);
}

function Activity({ detail }: { detail: RuleDetail }) {
  const live = detail.hours.filter((one) => !one.shadow);
  const shadow = detail.hours.filter((one) => one.shadow);
  const sum = (rows: typeof live, of: "hits" | "blocks") => rows.reduce((total, one) => total + one[of], 0);
  return (
    <section aria-label="What it did" className="rules-box">
      <h2>What it did in 7 days</h2>
      {detail.hours.length === 0 ? <p className="muted">It has held for no payment yet.</p> : null}
      {live.length > 0 ? (
        <>
          <p>
            Live: held for <span className="num">{count(sum(live, "hits"))}</span> payments, blocked{" "}
            <span className="num">{count(sum(live, "blocks"))}</span>
          </p>
          <Sparkline values={byHour(live, detail.as_of)} label="Hits by hour, live" />
        </>
      ) : null}
      {shadow.length > 0 ? (
        <>
          <p>
            In shadow: would have held for <span className="num">{count(sum(shadow, "hits"))}</span> payments
          </p>
          <Sparkline values={byHour(shadow, detail.as_of)} label="Hits by hour, in shadow" />
        </>
      ) : null}
      <p className="muted">
        Its alerts: {count(detail.confirmed)} fraud, {count(detail.dismissed)} dismissed, {count(detail.open)}{" "}
        open.
      </p>
    </section>
  );
}
