import { useQuery } from "@tanstack/react-query";
import { Segmented } from "antd";
import { useState } from "react";
import { counted } from "../../shared/numbers";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { LinkPlot } from "./LinkPlot";
import { KINDS } from "./linkWords";
import { type Links, linksQuery } from "./queries";

/** Whom the customer shares a device, card, payee or contact with, drawn and as a table that says the same. */
export function CaseLinks({ id }: { id: string }) {
  const query = useQuery(linksQuery(id));
  const [view, setView] = useState<"graph" | "table">("graph");
  if (!query.data) return <NotYet query={query} what="The links" height={360} />;
  const { nodes, edges, whole } = query.data;
  const others = nodes.filter((node) => !node.here && (node.kind === "customer" || node.kind === "account"));
  if (edges.length === 0) {
    return (
      <EmptyState title="No links">
        The lake shows no device, card, payee or contact of this customer from the 90 days before the last
        alert. What is new arrives there within seconds.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Links">
      <div className="case-bar">
        <Segmented<"graph" | "table">
          aria-label="Graph or table"
          value={view}
          onChange={setView}
          options={[
            { value: "graph", label: "Graph" },
            { value: "table", label: "Table" },
          ]}
        />
        <span className="muted">
          {others.length === 0 ? "Nobody else used them" : `${counted(others.length, "other")} linked`} over
          90 days
          {whole ? "" : "; only the nearest are shown"}
        </span>
      </div>
      {view === "graph" ? <LinkPlot links={query.data} /> : <LinkTable links={query.data} />}
    </section>
  );
}

function LinkTable({ links }: { links: Links }) {
  const node = new Map(links.nodes.map((one) => [one.id, one]));
  return (
    <div className="case-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Alerts</th>
            <th scope="col">Used</th>
            <th scope="col">Times</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {links.edges.map((edge) => {
            const [who, what] = [node.get(edge.source), node.get(edge.target)];
            if (!who || !what) return null;
            return (
              <tr key={`${edge.source} ${edge.target}`} className={who.here ? "case-here" : ""}>
                <td>
                  {KINDS[who.kind]} <span className="num">{who.value}</span>{" "}
                  {who.here ? <Tag word="this case" tone="approve" /> : null}
                </td>
                <td>
                  {who.confirmed > 0 ? <Tag word={`${who.confirmed} fraud`} tone="block" /> : null}{" "}
                  {who.open_alerts > 0 ? <Tag word={`${who.open_alerts} open`} tone="review" /> : null}
                </td>
                <td>
                  {KINDS[what.kind]} <span className="num">{what.value}</span>
                </td>
                <td className="num">{edge.times}</td>
                <td>{edge.last_at ? <When at={edge.last_at} /> : null}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
