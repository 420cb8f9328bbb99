import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { count } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Loaded } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { historyQuery, itemsQuery, receiptsQuery, type Source } from "./queries";
import { ITEM_STATES } from "./words";

/** What happened to a source, the latest first. */
export function History({ id }: { id: string }) {
  return (
    <>
      <h3>History</h3>
      <Loaded query={useQuery(historyQuery(id))} what="The history" rows={2} height={32}>
        {(notes) => (
          <ul className="source-notes">
            {notes.slice(0, 30).map((note) => (
              <li
                key={`${note.at} ${note.text}`}
                className={note.kind === "error" ? "source-bad" : undefined}
              >
                <span className="muted">
                  <When at={note.at} />
                </span>{" "}
                {note.text}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </>
  );
}

/** Its files or events, and what became of each. */
export function Items({ source }: { source: Source }) {
  const query = useInfiniteQuery(itemsQuery(source.id));
  const name = source.connection.type === "stripe" ? "events" : "files";
  return (
    <>
      <h3>{source.connection.type === "stripe" ? "Events" : "Files"}</h3>
      <Loaded query={query} what={`The ${name}`} rows={2} height={32}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p className="muted">None yet.</p>;
          return (
            <ul className="source-notes">
              {items.map((item) => (
                <li key={`${item.at} ${item.name}`}>
                  <Tag {...(ITEM_STATES[item.state] ?? { word: item.state, tone: "plain" })} />{" "}
                  <span className="source-value">{item.name}</span>{" "}
                  <span className="muted num">
                    {count(item.accepted)} accepted, {count(item.quarantined)} quarantined,{" "}
                    <When at={item.at} />
                  </span>
                  {item.note ? <p className="muted">{item.note}</p> : null}
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
      {query.hasNextPage ? (
        <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
          Show older
        </Button>
      ) : null}
    </>
  );
}

/** What was received from it lately. */
export function Receipts({ id }: { id: string }) {
  return (
    <>
      <h3>Latest receipts</h3>
      <Loaded query={useQuery(receiptsQuery(id))} what="The receipts" rows={2} height={32}>
        {(receipts) =>
          receipts.length === 0 ? (
            <p className="muted">None yet.</p>
          ) : (
            <ul className="source-notes">
              {receipts.map((receipt) => (
                <li key={receipt.id}>
                  <a href={`${paths.pipeline}?part=receipts&source=${encodeURIComponent(id)}`}>
                    {receipt.source.replace(` [${id}]`, "")}
                  </a>{" "}
                  <span className="muted num">
                    {count(receipt.received)} received, {count(receipt.accepted)} accepted,{" "}
                    {count(receipt.duplicate)} duplicate, {count(receipt.quarantined)} quarantined
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  );
}
