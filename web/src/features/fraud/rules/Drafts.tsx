import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { App, Button, Checkbox, InputNumber } from "antd";
import { useState } from "react";
import { count, measure } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { reasonOf } from "../../../shared/ui/states";
import { TableBox } from "../../../shared/ui/TableBox";
import { type Draft, type Price, priceRules, type RuleSummary } from "./queries";
import { dollars, RuleAction, shareText } from "./words";

/** The drafts side by side: what each would do, priced together by one reading of the lake. */
export function Drafts({ rules, mayPrice }: { rules: readonly RuleSummary[]; mayPrice: boolean }) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [days, setDays] = useState(30);
  const [capacity, setCapacity] = useState(100);
  const [busy, setBusy] = useState(false);
  const drafts = rules.flatMap((one) => (one.draft ? [{ rule: one.rule, draft: one.draft }] : []));
  if (drafts.length === 0) return null;
  const wanted = drafts.filter(({ draft }) => !(left.has(draft.id) || isRunning(draft)));
  const price = async () => {
    setBusy(true);
    try {
      await priceRules(
        wanted.map(({ draft }) => draft),
        days,
        capacity,
      );
      await client.invalidateQueries({ queryKey: ["rules"] });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
    setBusy(false);
  };
  const choose = (id: string, chosen: boolean) => {
    const next = new Set(left);
    if (chosen) next.delete(id);
    else next.add(id);
    setLeft(next);
  };
  return (
    <section aria-label="Drafts" className="rules-box rules-drafts">
      <h2>Drafts</h2>
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Draft</th>
              <th scope="col">Asks for</th>
              <th scope="col" className="right">
                Hits
              </th>
              <th scope="col" className="right" title="Hits that no live rule reviews or blocks already">
                Beyond what runs
              </th>
              <th scope="col" title="Confirmed fraud among the hits that somebody has judged">
                Precision
              </th>
              <th scope="col" className="right" title="Known fraud among the hits beyond what runs">
                Saves
              </th>
              <th scope="col" className="right" title="Customers with a hit and no known fraud">
                Hurts
              </th>
              <th scope="col" className="right">
                Alerts a day
              </th>
            </tr>
          </thead>
          <tbody>
            {drafts.map(({ rule, draft }) => (
              <tr key={draft.id}>
                <th scope="row">
                  {mayPrice ? (
                    <Checkbox
                      className="rules-draft-choice"
                      aria-label={`Price ${draft.title} with the others`}
                      checked={!left.has(draft.id)}
                      disabled={isRunning(draft)}
                      onChange={(event) => choose(draft.id, event.target.checked)}
                    />
                  ) : null}
                  <Link to={paths.rule} params={{ rule }}>
                    {draft.title}
                  </Link>
                  <span className="muted rules-name">
                    {rule} v{draft.version}
                  </span>
                </th>
                <td>
                  <RuleAction action={draft.action} />
                </td>
                <Figures price={draft.price} />
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {mayPrice ? (
        <div className="rules-price-ask">
          <InputNumber
            aria-label="Days"
            min={1}
            max={365}
            value={days}
            suffix="days"
            onChange={(value) => setDays(value ?? 30)}
          />
          <InputNumber
            aria-label="Alerts a day that the team can work on"
            min={1}
            max={100_000}
            value={capacity}
            suffix="alerts a day"
            onChange={(value) => setCapacity(value ?? 100)}
          />
          <Button loading={busy} disabled={wanted.length === 0} onClick={() => void price()}>
            {wanted.length > 1 ? `Price ${count(wanted.length)} drafts together` : "Price the draft"}
          </Button>
        </div>
      ) : null}
    </section>
  );
}

function isRunning(draft: Draft): boolean {
  return draft.price?.state === "running";
}

function Figures({ price }: { price: Price | null }) {
  if (price?.state !== "done") {
    return (
      <td colSpan={6} className="muted cell-text">
        {wordOf(price)}
      </td>
    );
  }
  return (
    <>
      <td className="right num" title={`of ${count(price.events ?? 0)} payments`}>
        {count(price.hits ?? 0)}
      </td>
      <td className="right num">{count(price.marginal ?? 0)}</td>
      <td className="num">{shareText(price.precision)}</td>
      <td className="right num">{dollars(price.saved_usd_minor ?? 0)}</td>
      <td className="right num">{count(price.hurt ?? 0)}</td>
      <td className="right num">{measure(price.alerts_per_day ?? 0)}</td>
    </>
  );
}

function wordOf(price: Price | null): string {
  if (!price) return "Not priced yet";
  if (price.state === "running") return `Pricing … ${count(price.events ?? 0)} payments so far`;
  return price.state === "cancelled" ? "The last pricing was cancelled" : (price.problem ?? "It failed");
}
