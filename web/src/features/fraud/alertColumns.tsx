import type { Column } from "../../shared/ui/grid";
import { ActionTag, StateTag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import type { Alert, Filter } from "./filter";
import { cardText, whyText } from "./words";

const columns: readonly Column<Alert>[] = [
  { key: "raised", title: "Raised", width: "104px", render: (alert) => <When at={alert.raised_at} /> },
  { key: "action", title: "Action", width: "92px", render: (alert) => <ActionTag action={alert.action} /> },
  {
    key: "amount",
    title: "Amount",
    width: "156px",
    align: "right",
    render: (alert) => <Amount money={alert.amount} />,
  },
  {
    key: "usd",
    title: "In USD",
    width: "124px",
    align: "right",
    from: 1080,
    render: (alert) =>
      alert.amount_usd ? <Amount money={alert.amount_usd} /> : <span className="muted">no rate</span>,
  },
  {
    key: "merchant",
    title: "Merchant",
    width: "minmax(120px, 1fr)",
    from: 560,
    render: (alert) => <Merchant alert={alert} />,
  },
  {
    key: "account",
    title: "Account",
    width: "minmax(110px, 0.7fr)",
    from: 860,
    render: (alert) => (
      <>
        <span className="cut">{alert.account_id ?? alert.customer_id ?? "–"}</span>
        <span className="muted num nowrap">{cardText(alert.card_last4)}</span>
      </>
    ),
  },
  {
    key: "why",
    title: "Why",
    width: "minmax(180px, 2.4fr)",
    from: 720,
    render: (alert) => (
      <span className="why" title={alert.reasons.join("\n")}>
        {whyText(alert)}
      </span>
    ),
  },
];

const stateColumn: Column<Alert> = {
  key: "state",
  title: "State",
  width: "112px",
  render: (alert) => <StateTag state={alert.state} />,
};

/** Among open alerts the state says nothing, until one is judged: then it takes the place of the action. */
const openColumns = columns.map((column) =>
  column.key === "action"
    ? {
        ...column,
        width: "112px",
        render: (alert: Alert) =>
          alert.state === "open" ? <ActionTag action={alert.action} /> : <StateTag state={alert.state} />,
      }
    : column,
);
const allColumns = [...columns, stateColumn];

export function columnsFor(state: Filter["state"]): readonly Column<Alert>[] {
  return state === "open" ? openColumns : allColumns;
}

function Merchant({ alert }: { alert: Alert }) {
  const place = [alert.merchant_city, alert.merchant_country].filter(Boolean).join(", ");
  return (
    <>
      <span className="cut">{alert.merchant_name ?? "–"}</span>
      <span className="muted cut">{place}</span>
    </>
  );
}

/** An alert on a phone. */
export function AlertCard({ alert }: { alert: Alert }) {
  return (
    <>
      <div className="card-line">
        <ActionTag action={alert.action} />
        {alert.state === "open" ? null : <StateTag state={alert.state} />}
        <span className="push">
          <Amount money={alert.amount} />
        </span>
      </div>
      <div className="card-line muted">
        <span className="cut">{alert.merchant_name ?? alert.account_id ?? "–"}</span>
        <span className="push">
          <When at={alert.raised_at} />
        </span>
      </div>
      <p className="card-why">{whyText(alert)}</p>
    </>
  );
}
