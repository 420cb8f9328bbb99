import { contractWord } from "../../shared/contracts";
import { Plotted } from "../../shared/ui/Plotted";
import { scoreOption } from "./plot";

interface ScoreChartProps {
  contract: string;
  points: readonly { at: string; received: number; passed: number }[];
}

/** The share of records that passed, day by day; with fewer than two days there is nothing to draw. */
export function ScoreChart({ contract, points }: ScoreChartProps) {
  if (points.length < 2) return <p className="muted">A chart by the day appears after the second day.</p>;
  return (
    <Plotted
      label={`Share of records of ${contractWord(contract)} that passed, over ${points.length} days`}
      option={(theme) => scoreOption(points, theme)}
    />
  );
}
