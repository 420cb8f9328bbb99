import { WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Input } from "antd";
import { useState } from "react";
import { count, measure } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { AsOf } from "../../../shared/ui/values";
import { Drafts } from "./Drafts";
import { NewRule } from "./NewRule";
import { type RuleSummary, rulesQuery } from "./queries";
import { brakeText, RuleAction, RuleState } from "./words";
import "./rules.css";
import { TableBox } from "../../../shared/ui/TableBox";

/** Every rule of the firm: what it asks for, what it did within a day, and how its alerts ended. */
export function RulesPage() {
  const { may } = useSession();
  const query = useQuery(rulesQuery);
  const { data } = query;
  const [wanted, setWanted] = useState("");
  const text = wanted.trim().toLowerCase();
  const found = data?.items.filter((one) =>
    `${one.rule} ${one.title} ${one.owner}`.toLowerCase().includes(text),
  );
  return (
    <Page title="Rules" aside={data ? <AsOf at={data.as_of} /> : null}>
      <div className="rules-bar">
        <Input.Search
          aria-label="Find a rule"
          placeholder="Name, title or owner"
          allowClear
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {may(permission.writeRules) ? <NewRule /> : null}
        {data ? (
          <span className="muted">
            Rule set <code>{data.rule_set}</code> decided <span className="num">{count(data.decided)}</span>{" "}
            payments in 24 h
          </span>
        ) : null}
      </div>
      <NotYet query={query} what="The rules" rows={10} height={44} />
      {found?.length === 0 ? (
        <EmptyState title="No rule fits">Rules are found by name, title and owner.</EmptyState>
      ) : null}
      {found ? <Drafts rules={found} mayPrice={may(permission.writeRules)} /> : null}
      {found && found.length > 0 ? <RuleTable rules={found} /> : null}
    </Page>
  );
}

function RuleTable({ rules }: { rules: readonly RuleSummary[] }) {
  return (
    <TableBox className="rules-part">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">State</th>
            <th scope="col">Asks for</th>
            <th scope="col" className="right">
              Hits in 24 h
            </th>
            <th scope="col" className="right">
              Blocked
            </th>
            <th scope="col" className="right" title="Confirmed fraud among the alerts that somebody judged">
              Precision
            </th>
            <th scope="col" className="right">
              Open alerts
            </th>
            <th scope="col">Brake</th>
            <th scope="col">Owner</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((one) => (
            <Row key={one.rule} rule={one} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ rule: one }: { rule: RuleSummary }) {
  const judged = one.confirmed + one.dismissed;
  return (
    <tr>
      <th scope="row">
        <Link to={paths.rule} params={{ rule: one.rule }}>
          {one.title}
        </Link>
        <span className="muted rules-name">{one.rule}</span>
      </th>
      <td>
        <span className="rules-states">
          <RuleState state={one.state} />
          <span className="num muted">v{one.version}</span>
          {one.shadow_version !== null && one.state !== "shadow" ? (
            <span className="muted">v{one.shadow_version} in shadow</span>
          ) : null}
          {one.draft_version !== null && one.state !== "draft" ? (
            <span className="muted">v{one.draft_version} in draft</span>
          ) : null}
        </span>
      </td>
      <td>
        <RuleAction action={one.action} />
      </td>
      <td className="right num">
        {count(one.live.hits ?? 0)}
        {one.shadow.hits ? (
          <span className="muted rules-name">{count(one.shadow.hits)} in shadow</span>
        ) : null}
      </td>
      <td className="right num">{one.action === "block" ? count(one.live.blocks ?? 0) : "–"}</td>
      <td className="right num" title={`${count(one.confirmed)} fraud, ${count(one.dismissed)} dismissed`}>
        {judged === 0 ? "–" : `${measure((100 * one.confirmed) / judged)} %`}
        {judged === 0 ? null : <span className="muted rules-name">of {count(judged)}</span>}
      </td>
      <td className="right num">{count(one.open)}</td>
      <td>
        {one.demoted_at ? (
          <span className="rules-stopped" title={one.demotion}>
            <WarningFilled aria-hidden /> Stopped it
          </span>
        ) : (
          <span className={one.brake ? undefined : "muted"}>{brakeText(one.brake)}</span>
        )}
      </td>
      <td>{one.owner || "–"}</td>
    </tr>
  );
}
