import { BarChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart,
  LineChart,
  PieChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export interface Plot {
  draw(option: Record<string, unknown>): void;
  dispose(): void;
}

/** Any chart of a few kinds in an element, which it follows in size. */
export function createPlot(element: HTMLElement): Plot {
  const chart = init(element, undefined, { renderer: "canvas" });
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  return {
    draw: (option) => chart.setOption(option, true),
    dispose() {
      observer.disconnect();
      chart.dispose();
    },
  };
}
