import { Fact } from "../../shared/ui/Fact";
import { ActionTag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import type { AlertDetail } from "./queries";
import { cardText, channelWord, scoreText } from "./words";

/** The rules that fired, the model's score, and the transaction itself. */
export function AlertFacts({ alert }: { alert: AlertDetail }) {
  return (
    <>
      <section aria-label="Rules">
        <h3>Rules that fired</h3>
        <ul className="rules">
          {alert.rules.map((rule) => (
            <li key={rule.id}>
              <span>
                {rule.title} <code className="muted">{rule.id}</code>
              </span>
              <ActionTag action={rule.action} />
            </li>
          ))}
        </ul>
        {alert.rules.length === 0 ? (
          <p className="muted">No rule fired; the model raised this alert.</p>
        ) : null}
        <Score score={alert.score} />
      </section>
      <section aria-label="Transaction">
        <h3>Transaction</h3>
        <dl className="facts">
          <Fact name="Account">{alert.account_id}</Fact>
          <Fact name="Customer">{alert.customer_id}</Fact>
          <Fact name="Card">{alert.card_last4 === null ? null : cardText(alert.card_last4)}</Fact>
          <Fact name="Channel">{channelWord(alert.channel)}</Fact>
          <Fact name="Device">{alert.device_id}</Fact>
          <Fact name="Happened">
            <When at={alert.occurred_at} />
          </Fact>
          <Fact name="Raised">
            <When at={alert.raised_at} />
          </Fact>
          <Fact name="Event">{alert.event_id}</Fact>
          {alert.versions ? <Fact name="Rules and model">{versionText(alert.versions)}</Fact> : null}
        </dl>
      </section>
    </>
  );
}

function Score({ score }: { score: number | null }) {
  if (score === null) return <p className="muted score">No model has scored this transaction.</p>;
  return (
    <p className="score">
      <span>Model: </span>
      <span className="score-bar" aria-hidden>
        <span style={{ width: `${score * 100}%` }} />
      </span>
      <span className="num">
        {scoreText(score)} <span className="muted">probability of fraud</span>
      </span>
    </p>
  );
}

function versionText({ rule_pack, model, contract }: NonNullable<AlertDetail["versions"]>): string {
  return `${rule_pack ?? "–"} / ${model ?? "no model"}${contract ? ` / contract ${contract}` : ""}`;
}
