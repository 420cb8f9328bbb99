import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Button } from "antd";
import type { ReactNode } from "react";
import { type Entry, fullName, KINDS } from "../../shared/lineage";
import { count } from "../../shared/numbers";
import { safeReturn } from "../../shared/paths";
import { Loaded, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { LineageGraph } from "./LineageGraph";
import { entryQuery, graphQuery } from "./queries";

/** One entry: what it is, where it comes from, what reads it. */
export function EntryView({ id, onOpen }: { id: string; onOpen(id: string): void }) {
  const query = useQuery(entryQuery(id));
  const graph = useQuery(graphQuery(id));
  const router = useRouter();
  if (!query.data) return <NotYet query={query} what="The entry" height={240} />;
  const { entry, sources, readers, rows, newest, example } = query.data;
  return (
    <article className="entry" aria-label={fullName(entry)}>
      <header className="entry-head">
        <h2>{fullName(entry)}</h2>
        <Tag word={KINDS[entry.kind]} tone="plain" />
        {entry.link ? (
          <Button size="small" onClick={() => router.history.push(safeReturn(entry.link))}>
            Open its page
          </Button>
        ) : null}
      </header>
      {entry.about ? <p>{entry.about}</p> : null}
      {entry.definition ? <pre className="entry-definition">{entry.definition}</pre> : null}
      <dl className="facts">
        <Fact name="Type" value={entry.type} />
        <Fact name="Data class" value={entry.data_class} />
        <Fact name="Owner" value={entry.owner} />
        <Fact name="Rows" value={rows === null ? "" : count(rows)} />
        <Fact name="Newest" value={newest === null ? "" : <When at={newest} />} />
        <Fact name="For example" value={example ?? ""} />
      </dl>
      <div className="entry-lists">
        <Neighbours title="Made from" entries={sources} none="Nothing before it." onOpen={onOpen} />
        <Neighbours title="Read by" entries={readers} none="Nothing reads it." onOpen={onOpen} />
      </div>
      <Loaded query={graph} what="The lineage" height={160}>
        {(found) => (found.nodes.length > 1 ? <LineageGraph graph={found} onOpen={onOpen} /> : null)}
      </Loaded>
    </article>
  );
}

function Fact({ name, value }: { name: string; value: ReactNode }) {
  if (value === "") return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

interface NeighboursProps {
  title: string;
  entries: readonly Entry[];
  none: string;
  onOpen(id: string): void;
}

function Neighbours({ title, entries, none, onOpen }: NeighboursProps) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {entries.length === 0 ? <p className="muted">{none}</p> : null}
      <ul>
        {entries.map((one) => (
          <li key={one.id}>
            <Button type="link" size="small" onClick={() => onOpen(one.id)}>
              {fullName(one)}
            </Button>
            <span className="muted">{KINDS[one.kind]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
