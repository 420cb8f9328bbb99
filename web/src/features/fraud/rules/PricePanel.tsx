import { useQueryClient } from "@tanstack/react-query";
import { App, Button, InputNumber, Progress } from "antd";
import { useState } from "react";
import { count, counted } from "../../../shared/numbers";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { reasonOf } from "../../../shared/ui/states";
import { TableBox } from "../../../shared/ui/TableBox";
import { When } from "../../../shared/ui/values";
import { cancelPrice, type Price, priceRule, type RuleVersion } from "./queries";
import { dollars, shareText } from "./words";

interface PanelProps {
  version: RuleVersion;
  /** Whether something is written of the rule that is not saved: what is saved is priced. */
  unsaved: boolean;
}

/** What a rule would have done to past payments, by what is known of them. */
export function PricePanel({ version, unsaved }: PanelProps) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [days, setDays] = useState(30);
  const [capacity, setCapacity] = useState(version.price?.capacity_per_day || 100);
  const price = version.price;
  const running = price?.state === "running";
  const priced = price?.state === "done";
  const before = priced && (unsaved || price.revision !== version.revision);
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work();
      await client.invalidateQueries({ queryKey: ["rules"] });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  return (
    <section aria-label="Price" className="rules-box">
      <h2>Price</h2>
      {price ? null : (
        <p className="muted">
          Not priced yet. A price holds the rule to past payments: what it would have caught, and whom it
          would have hurt.
        </p>
      )}
      {price && running ? (
        <Running price={price} onCancel={() => void act(() => cancelPrice(version))} />
      ) : null}
      {price && (price.state === "failed" || price.state === "cancelled") ? (
        <p role="alert" className="problem">
          {price.state === "cancelled" ? "The last pricing was cancelled." : price.problem}
        </p>
      ) : null}
      {before ? (
        <p role="status" className="problem">
          This is the price of what was saved before, not of what stands here.
        </p>
      ) : null}
      {priced ? <Found price={price} /> : null}
      {may(permission.writeRules) && version.state !== "retired" && !running ? (
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
            value={capacity}
            suffix="alerts a day"
            onChange={(value) => setCapacity(value ?? 100)}
          />
          <Button
            type={version.state === "draft" && !price ? "primary" : "default"}
            disabled={unsaved}
            onClick={() => void act(() => priceRule(version, days, capacity))}
          >
            {price ? "Price again" : "Price it"}
          </Button>
          {unsaved ? <span className="muted">Save the draft first.</span> : null}
        </div>
      ) : null}
    </section>
  );
}

function Running({ price, onCancel }: { price: Price; onCancel(): void }) {
  const done = price.events ?? 0;
  return (
    <div>
      <p>
        Pricing … <span className="num">{count(done)}</span> payments so far,{" "}
        <span className="num">{count(price.hits ?? 0)}</span> hits
      </p>
      <Progress percent={100} status="active" showInfo={false} aria-label="Pricing" />
      <Button size="small" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

function Found({ price }: { price: Price }) {
  const events = price.events ?? 0;
  const hits = price.hits ?? 0;
  const perDay = price.alerts_per_day ?? 0;
  const capacity = price.capacity_per_day ?? 0;
  const share = events ? (100 * hits) / events : 0;
  return (
    <>
      {events === 0 ? (
        <p className="muted">The lake holds no payment of this period, so nothing can be said.</p>
      ) : (
        <dl className="rules-facts">
          <dt>Holds for</dt>
          <dd>
            <span className="num">{count(hits)}</span> of <span className="num">{count(events)}</span>{" "}
            payments ({share.toLocaleString("en", { maximumSignificantDigits: 2 })} %)
          </dd>
          <dt title="Hits that no live rule reviews or blocks already">Beyond what runs</dt>
          <dd className="num">{count(price.marginal ?? 0)}</dd>
          <dt title="Confirmed fraud among the hits that somebody has judged">Precision</dt>
          <dd>
            {shareText(price.precision)}{" "}
            <span className="muted">
              of {counted((price.fraud ?? 0) + (price.legitimate ?? 0), "judged hit")}
            </span>
          </dd>
          <dt title="Hits among all fraud that is known">Recall</dt>
          <dd>
            {shareText(price.recall)}{" "}
            <span className="muted">of {counted(price.fraud_known ?? 0, "known fraud")}</span>
          </dd>
          <dt title="Known fraud among the hits beyond what runs">Saves</dt>
          <dd>
            {dollars(price.saved_usd_minor ?? 0)}
            {price.saved?.low != null && price.saved.high != null ? (
              <span className="muted">
                {" "}
                ({dollars(price.saved.low)} to {dollars(price.saved.high)})
              </span>
            ) : null}
          </dd>
          <dt title="Customers with a hit beyond what runs and no known fraud">Good customers hurt</dt>
          <dd>
            <span className="num">{count(price.hurt ?? 0)}</span>{" "}
            <span className="muted">without a known fraud</span>
          </dd>
          <dt>More alerts a day</dt>
          <dd className={perDay > capacity ? "problem" : undefined}>
            {perDay.toLocaleString("en", { maximumFractionDigits: 1 })} of {count(capacity)} that the team can
            work on
          </dd>
          <dt>Costs</dt>
          <dd>
            {(price.us_per_event ?? 0).toLocaleString("en", { maximumSignificantDigits: 2 })} µs a payment
          </dd>
        </dl>
      )}
      {share > 20 ? (
        <p role="alert" className="problem">
          It holds for more than a fifth of all payments. Whoever tries it has to confirm that it is meant so.
        </p>
      ) : null}
      {(price.segments ?? []).length > 0 ? <Segments price={price} /> : null}
      <p className="muted">
        Payments since <When at={price.since} />, labels as known <When at={price.as_of} />. Bounds hold in 19
        of 20 cases.
      </p>
    </>
  );
}

const BY: Record<string, string> = { channel: "Channel", merchant_country: "Country", type: "Type" };

function Segments({ price }: { price: Price }) {
  return (
    <details>
      <summary>By channel, country and type</summary>
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Segment</th>
              <th scope="col" className="right">
                Hits
              </th>
              <th scope="col" className="right">
                Fraud
              </th>
              <th scope="col" className="right">
                Dismissed
              </th>
              <th scope="col" className="right">
                Precision
              </th>
            </tr>
          </thead>
          <tbody>
            {(price.segments ?? []).map((one) => (
              <tr key={`${one.by}:${one.value}`}>
                <th scope="row">
                  <span className="muted">{BY[one.by] ?? one.by}</span> {one.value || "none"}
                </th>
                <td className="right num">{count(one.hits)}</td>
                <td className="right num">{count(one.fraud)}</td>
                <td className="right num">{count(one.legitimate)}</td>
                <td className="right num">{one.precision ? shareText(one.precision) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </details>
  );
}
