import { LineChart as Line } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([Line, GridComponent, TooltipComponent, CanvasRenderer]);

export interface LineChart {
  draw(data: {
    points: readonly { at: string; value: number }[];
    colour: string;
    dark: boolean;
    timeText(at: number): string;
    valueText(value: number): string;
  }): void;
  dispose(): void;
}

/** A line chart in an element, which it follows in size. */
export function createLineChart(element: HTMLElement): LineChart {
  const chart = init(element, undefined, { renderer: "canvas" });
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  return {
    draw({ points, colour, dark, timeText, valueText }) {
      const muted = dark ? "#9aa7b5" : "#556171";
      const line = dark ? "#2a3542" : "#dce1e7";
      chart.setOption({
        animation: false,
        grid: { left: 56, right: 16, top: 12, bottom: 24 },
        tooltip: {
          trigger: "axis",
          confine: true,
          // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
          renderMode: "richText",
          backgroundColor: dark ? "#1c2530" : "#ffffff",
          borderColor: line,
          textStyle: { color: dark ? "#e3e9ef" : "#17202b", fontSize: 12 },
          valueFormatter: (value: unknown) => valueText(Number(value)),
          axisPointer: { label: { formatter: (each: { value: unknown }) => timeText(Number(each.value)) } },
        },
        xAxis: {
          type: "time",
          splitNumber: 5,
          axisLine: { lineStyle: { color: line } },
          axisTick: { show: false },
          axisLabel: {
            color: muted,
            fontSize: 11,
            hideOverlap: true,
            formatter: (at: number) => timeText(at),
          },
        },
        yAxis: {
          type: "value",
          min: 0,
          splitNumber: 3,
          splitLine: { lineStyle: { color: line } },
          axisLabel: { color: muted, fontSize: 11, formatter: (value: number) => valueText(value) },
        },
        series: [
          {
            name: "Events per second",
            type: "line",
            showSymbol: false,
            lineStyle: { width: 1.5, color: colour },
            itemStyle: { color: colour },
            areaStyle: { color: colour, opacity: 0.1 },
            data: points.map((point) => [Date.parse(point.at), point.value]),
          },
        ],
      });
    },
    dispose() {
      observer.disconnect();
      chart.dispose();
    },
  };
}
