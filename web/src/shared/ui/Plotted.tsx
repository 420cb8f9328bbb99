import { useEffect, useRef } from "react";
import { primaryOf } from "../look";
import { useSession } from "../session";
import { shortTime } from "../time";
import { useDark } from "../useDark";
import type { Plot } from "./plots";
import { BlockSkeleton } from "./states";
import { usePromise } from "./usePromise";

export interface Theme {
  dark: boolean;
  primary: string;
  timeText(at: number): string;
}

const load = () => import("./plots");

interface PlottedProps {
  label: string;
  option(theme: Theme): Record<string, unknown>;
  /** In pixels, while the drawing library is on its way; the class says how high the chart is. */
  height?: number;
  className?: string;
  /** Where the numbers stand when the chart cannot be drawn. */
  instead?: string;
}

/** A chart that follows the look of the page. The drawing library comes when the first one is shown. */
export function Plotted({ label, option, height = 220, className = "plot", instead }: PlottedProps) {
  const module = usePromise(load);
  const { me, timeZone } = useSession();
  const dark = useDark();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const create = module.value?.createPlot;
  useEffect(() => {
    if (!box.current || !create) return;
    const made = create(box.current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.dispose();
    };
  }, [create]);
  useEffect(() => {
    const primary = primaryOf({ dark, brand: me.tenant.branding.primary_color });
    plot.current?.draw(option({ dark, primary, timeText: (at) => shortTime(new Date(at), timeZone) }));
  });
  if (module.error) {
    return (
      <p className="state-text">
        The chart could not be loaded. {instead ?? "The numbers beside it are right."}
      </p>
    );
  }
  return (
    <>
      {create ? null : <BlockSkeleton height={height} label="Loading the chart" />}
      <div ref={box} className={className} role="img" aria-label={label} hidden={!create} />
    </>
  );
}
