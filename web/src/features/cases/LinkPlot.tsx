import { useEffect, useRef } from "react";
import { BlockSkeleton } from "../../shared/ui/states";
import { usePromise } from "../../shared/ui/usePromise";
import { useDark } from "../../shared/useDark";
import { KINDS } from "./linkWords";
import type { Links } from "./queries";

const HEIGHT = 420;
const load = () => import("./linkGraph");
type Graph = Awaited<ReturnType<typeof load>>["createLinkGraph"];

/** The links as a graph. The drawing library comes when the first one is shown; the table says the same in words. */
export function LinkPlot({ links }: { links: Links }) {
  const module = usePromise(load);
  if (module.error)
    return <p className="state-text">The graph could not be loaded. The table says the same.</p>;
  if (!module.value) return <BlockSkeleton height={HEIGHT} label="Loading the graph" />;
  return <Drawn links={links} create={module.value.createLinkGraph} />;
}

function Drawn({ links, create }: { links: Links; create: Graph }) {
  const dark = useDark();
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<ReturnType<Graph> | null>(null);
  useEffect(() => {
    if (!box.current) return;
    const made = create(box.current);
    graph.current = made;
    return () => {
      graph.current = null;
      made.dispose();
    };
  }, [create]);
  useEffect(() => {
    graph.current?.draw(links, KINDS, dark);
  }, [links, dark]);
  const label = `${links.nodes.length} customers and things, ${links.edges.length} uses; the table lists them`;
  return <div ref={box} role="img" aria-label={label} style={{ height: HEIGHT }} className="case-graph" />;
}
