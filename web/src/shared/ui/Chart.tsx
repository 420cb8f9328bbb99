import { useEffect, useRef } from "react";
import type { LineChart } from "./lineChart";
import { BlockSkeleton } from "./states";
import { usePromise } from "./usePromise";

interface ChartProps {
  label: string;
  points: readonly { at: string; value: number }[];
  height: number;
  colour: string;
  dark: boolean;
  timeText(at: number): string;
  valueText(value: number): string;
}

const load = () => import("./lineChart");

/** A line over time. The drawing library comes when the first chart is shown. */
export function Chart(props: ChartProps) {
  const module = usePromise(load);
  if (module.error)
    return <p className="state-text">The chart could not be loaded. The numbers beside it are right.</p>;
  if (!module.value) return <BlockSkeleton height={props.height} label="Loading the chart" />;
  return <Drawn {...props} create={module.value.createLineChart} />;
}

function Drawn({ create, ...props }: ChartProps & { create(element: HTMLElement): LineChart }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  useEffect(() => {
    if (!box.current) return;
    const made = create(box.current);
    chart.current = made;
    return () => {
      chart.current = null;
      made.dispose();
    };
  }, [create]);
  useEffect(() => {
    chart.current?.draw(props);
  });
  return <div ref={box} role="img" aria-label={props.label} style={{ height: props.height }} />;
}
