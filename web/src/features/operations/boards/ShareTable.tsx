import { amountText } from "../../../shared/money";
import { count } from "../../../shared/numbers";
import { TableBox } from "../../../shared/ui/TableBox";
import type { Share } from "./queries";
import { labelText, percentText } from "./view";

interface ShareTableProps {
  title: string;
  shares: readonly Share[];
  /** What the column of weights is called: an amount where amounts are shown, a count otherwise. */
  worth: string;
  /** A label as people read it. */
  text?(label: string): string;
  onChoose?(label: string): void;
}

/**
 * What each label has of the whole, as a bar and as numbers, and the margin of it where that of any is known; a label
 * that can be chosen narrows the board to it.
 */
export function ShareTable({ title, shares, worth, text = labelText, onChoose }: ShareTableProps) {
  const weigh = (one: Share) => one.amount?.minor ?? one.records;
  const margins = shares.some((one) => one.margin);
  const largest = Math.max(1, ...shares.map((one) => Math.abs(weigh(one))));
  return (
    <TableBox>
      <table className="table board-shares">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" aria-label="Share" className="wide-only" />
            <th scope="col" className="right">
              {worth}
            </th>
            {margins ? (
              <>
                <th scope="col" className="right wide-only">
                  Gross profit
                </th>
                <th scope="col" className="right">
                  Margin
                </th>
                <th scope="col" className="right">
                  Cost known
                </th>
              </>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {shares.map((one) => (
            <tr key={one.label}>
              <th scope="row">
                {onChoose && one.label !== "" && one.label !== "(other)" ? (
                  <button type="button" className="board-link" onClick={() => onChoose(one.label)}>
                    {text(one.label)}
                  </button>
                ) : (
                  text(one.label)
                )}
              </th>
              <td className="wide-only">
                <meter
                  className="board-bar"
                  min={0}
                  max={largest}
                  value={Math.abs(weigh(one))}
                  aria-hidden="true"
                />
              </td>
              <td className="right num">{one.amount ? amountText(one.amount) : count(one.records)}</td>
              {margins ? <MarginCells margin={one.margin} /> : null}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function MarginCells({ margin }: Pick<Share, "margin">) {
  const { revenue, cost } = margin ?? {};
  return (
    <>
      <td className="right num wide-only">
        {revenue && cost ? amountText({ ...revenue, minor: revenue.minor - cost.minor }) : "–"}
      </td>
      <td className="right num">{percentText(margin?.share)}</td>
      <td className="right num">{percentText(margin?.known)}</td>
    </>
  );
}
