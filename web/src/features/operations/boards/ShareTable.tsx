import { amountText } from "../../../shared/money";
import { count } from "../../../shared/numbers";
import type { Share } from "./queries";
import { labelText } from "./view";

interface ShareTableProps {
  title: string;
  shares: readonly Share[];
  /** What the last column is called: an amount where amounts are shown, a count otherwise. */
  worth: string;
  onChoose?(label: string): void;
}

/** What each label has of the whole, as a bar and as numbers; a label that can be chosen narrows the board to it. */
export function ShareTable({ title, shares, worth, onChoose }: ShareTableProps) {
  const weigh = (one: Share) => one.amount?.minor ?? one.records;
  const largest = Math.max(1, ...shares.map((one) => Math.abs(weigh(one))));
  return (
    <div className="table-scroll">
      <table className="table board-shares">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" aria-label="Share" className="wide-only" />
            <th scope="col" className="right">
              {worth}
            </th>
          </tr>
        </thead>
        <tbody>
          {shares.map((one) => (
            <tr key={one.label}>
              <th scope="row">
                {onChoose && one.label !== "" && one.label !== "(other)" ? (
                  <button type="button" className="board-link" onClick={() => onChoose(one.label)}>
                    {labelText(one.label)}
                  </button>
                ) : (
                  labelText(one.label)
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
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
