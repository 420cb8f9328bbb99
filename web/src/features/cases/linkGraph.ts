import { GraphChart } from "echarts/charts";
import { LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { Links } from "./queries";

use([GraphChart, LegendComponent, TooltipComponent, CanvasRenderer]);

const COLOURS = {
  light: ["#1d4f91", "#556171", "#8a5200", "#6b3fa0", "#0f766e", "#9d2f6b", "#4d7c0f"],
  dark: ["#86b0e8", "#9aa7b5", "#f0b95e", "#c4a5f0", "#5eead4", "#f0a5cf", "#bef264"],
};

export interface LinkGraph {
  draw(links: Links, kinds: Record<string, string>, dark: boolean): void;
  dispose(): void;
}

/** A graph in an element, which it follows in size. Who had confirmed fraud has a red ring. */
export function createLinkGraph(element: HTMLElement): LinkGraph {
  const chart = init(element, undefined, { renderer: "canvas" });
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  return {
    draw(links, kinds, dark) {
      const names = Object.keys(kinds);
      const [text, line, surface, alarm] = dark
        ? ["#e3e9ef", "#2a3542", "#1c2530", "#ff9c92"]
        : ["#17202b", "#c5ccd5", "#ffffff", "#b3261e"];
      chart.setOption(
        {
          animation: false,
          color: dark ? COLOURS.dark : COLOURS.light,
          legend: { bottom: 0, textStyle: { color: text, fontSize: 12 }, data: Object.values(kinds) },
          tooltip: {
            confine: true,
            // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
            renderMode: "richText",
            backgroundColor: surface,
            borderColor: line,
            textStyle: { color: text, fontSize: 12 },
          },
          series: [
            {
              type: "graph",
              layout: "force",
              roam: true,
              top: 10,
              bottom: 40,
              force: { repulsion: 160, edgeLength: [50, 110], gravity: 0.12, layoutAnimation: false },
              categories: names.map((name) => ({ name: kinds[name] })),
              lineStyle: { color: line, curveness: 0.08 },
              label: { position: "right", color: text, fontSize: 11 },
              emphasis: { focus: "adjacency" },
              data: links.nodes.map((node) => ({
                id: node.id,
                name: `${kinds[node.kind]} ${node.value ?? ""}`,
                category: names.indexOf(node.kind),
                symbolSize: node.here ? 34 : 14 + Math.min(14, Math.sqrt(node.payments)),
                label: { show: node.here || links.nodes.length <= 25, formatter: node.value ?? "" },
                itemStyle: node.confirmed > 0 ? { borderColor: alarm, borderWidth: 3 } : undefined,
                tooltip: { formatter: said(node, kinds) },
              })),
              links: links.edges.map((edge) => ({
                source: edge.source,
                target: edge.target,
                lineStyle: { width: 1 + Math.min(4, Math.log2(edge.times)) },
                tooltip: { formatter: `${edge.times} times` },
              })),
            },
          ],
        },
        true,
      );
    },
    dispose() {
      observer.disconnect();
      chart.dispose();
    },
  };
}

function said(node: Links["nodes"][number], kinds: Record<string, string>): string {
  const alerts = [
    node.confirmed > 0 ? `${node.confirmed} confirmed as fraud` : "",
    node.open_alerts > 0 ? `${node.open_alerts} open alerts` : "",
  ].filter(Boolean);
  return [`${kinds[node.kind]} ${node.value ?? ""}`, ...alerts].join("\n");
}
