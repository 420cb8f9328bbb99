import { type Entry, fullName, KINDS } from "../../shared/lineage";
import type { Graph } from "./queries";

const COLUMN = 210;
const ROW = 40;
const BOX = 180;
const HIGH = 30;

/** What an entry comes from and where it goes, from left to right. Each box is a button; a list says the same in words. */
export function LineageGraph({ graph, onOpen }: { graph: Graph; onOpen(id: string): void }) {
  const layers = new Map<number, Entry[]>();
  for (const node of graph.nodes) {
    const layer = graph.layers[node.id] ?? 0;
    layers.set(layer, [...(layers.get(layer) ?? []), node]);
  }
  const columns = [...layers.keys()].sort((a, b) => a - b);
  const places = new Map<string, { x: number; y: number }>();
  columns.forEach((layer, column) => {
    for (const [row, node] of (layers.get(layer) ?? []).entries()) {
      places.set(node.id, { x: column * COLUMN + 2, y: row * ROW + 2 });
    }
  });
  const width = columns.length * COLUMN;
  const height = Math.max(...columns.map((layer) => layers.get(layer)?.length ?? 0)) * ROW + 4;
  return (
    <section className="lineage-scroll" aria-label="Lineage">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the section is named, and each box too. */}
      <svg width={width} height={height}>
        {graph.edges.map((edge) => {
          const from = places.get(edge.source);
          const to = places.get(edge.target);
          if (!from || !to) return null;
          const [x1, y1, x2, y2] = [from.x + BOX, from.y + HIGH / 2, to.x, to.y + HIGH / 2];
          const here = edge.source === graph.node || edge.target === graph.node;
          return (
            <path
              key={`${edge.source} ${edge.target}`}
              className={here ? "lineage-edge lineage-near" : "lineage-edge"}
              d={`M${x1},${y1} C${x1 + 24},${y1} ${x2 - 24},${y2} ${x2},${y2}`}
            />
          );
        })}
        {graph.nodes.map((node) => {
          const place = places.get(node.id);
          if (!place) return null;
          const name = node.name.length > 24 ? `${node.name.slice(0, 23)}…` : node.name;
          return (
            // biome-ignore lint/a11y/useSemanticElements: an SVG holds no HTML button.
            <g
              key={node.id}
              role="button"
              tabIndex={0}
              aria-label={`${KINDS[node.kind]} ${fullName(node)}`}
              aria-current={node.id === graph.node ? "true" : undefined}
              transform={`translate(${place.x},${place.y})`}
              className={node.id === graph.node ? "lineage-node lineage-here" : "lineage-node"}
              onClick={() => onOpen(node.id)}
              onKeyDown={(event) => {
                if (event.key === "Enter" || event.key === " ") {
                  event.preventDefault();
                  onOpen(node.id);
                }
              }}
            >
              <title>{`${KINDS[node.kind]} ${fullName(node)}`}</title>
              <rect width={BOX} height={HIGH} rx={4} />
              <text x={8} y={12} className="lineage-kind">
                {KINDS[node.kind]}
              </text>
              <text x={8} y={25}>
                {name}
              </text>
            </g>
          );
        })}
      </svg>
      {graph.whole ? null : <p className="muted">Only the nearest 200 are drawn.</p>}
    </section>
  );
}
