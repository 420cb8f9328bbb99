import { amountText } from "../../../shared/money";
import { count } from "../../../shared/numbers";
import { TableBox } from "../../../shared/ui/TableBox";
import type { Figure } from "./queries";

const WORDS: Record<string, string> = {
  revenue: "Revenue",
  gross_profit: "Gross profit",
  ordered: "Ordered",
  returned: "Returned",
  cancelled: "Cancelled",
  payments: "Payments",
  refunds: "Refunds",
  cash_in: "Cash in",
  cash_out: "Cash out",
  fees: "Fees",
  declined: "Declined or reversed",
};

/** Every number of the page in the currencies that it was paid in, and what those are worth in the firm's own. */
export function CurrencyTable({ figures, currency }: { figures: readonly Figure[]; currency: string }) {
  const rows = figures.flatMap((figure) =>
    (figure.by_currency ?? []).map((one) => ({ figure: figure.name, ...one })),
  );
  if (rows.length === 0) return <p className="state-text board-none">Nothing was paid in this time.</p>;
  return (
    <TableBox className="board-series board-amounts" label="Amounts by currency">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" className="right">
              Records
            </th>
            <th scope="col" className="right">
              Amount
            </th>
            <th scope="col" className="right">
              In {currency}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.figure} ${row.amount.currency}`}>
              <th scope="row">{WORDS[row.figure] ?? row.figure}</th>
              <td className="right num">{count(row.records)}</td>
              <td className="right num nowrap">
                {amountText(row.amount)} <span className="muted">{row.amount.currency}</span>
              </td>
              <td className="right num">{row.converted ? amountText(row.converted) : "no rate"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
