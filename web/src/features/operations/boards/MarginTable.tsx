import { amountText } from "../../../shared/money";
import { count } from "../../../shared/numbers";
import { TableBox } from "../../../shared/ui/TableBox";
import type { Margin } from "./queries";
import { percentText } from "./view";

/** What is left of the revenue of each currency whose cost is known. */
export function MarginTable({ rows }: { rows: Margin["by_currency"] }) {
  return (
    <TableBox className="board-series board-amounts" label="Margin by currency">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Currency</th>
            {["Lines", "Revenue", "Cost", "Margin", "Cost known"].map((title) => (
              <th key={title} scope="col" className="right">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.revenue.currency}>
              <th scope="row">{row.revenue.currency}</th>
              <td className="right num">{count(row.records)}</td>
              <td className="right num">{amountText(row.revenue)}</td>
              <td className="right num">{amountText(row.cost)}</td>
              <td className="right num nowrap">{percentText(row.share)}</td>
              <td className="right num nowrap">{percentText(row.known)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
