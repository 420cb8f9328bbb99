import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { NotYet } from "../../shared/ui/states";
import { IncidentRow } from "./IncidentRow";
import { closedQuery } from "./queries";

/** What was not as usual and is over. */
export function ClosedIncidents({ onOpen }: { onOpen(incident: string): void }) {
  const query = useInfiniteQuery(closedQuery);
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  let body = <NotYet query={query} what="Earlier incidents" rows={2} height={52} />;
  if (query.data && items.length === 0) {
    body = <p className="quality-none-yet muted">None in the last 400 days.</p>;
  } else if (query.data) {
    body = (
      <>
        <ul aria-label="Earlier incidents">
          {items.map((each) => (
            <IncidentRow key={each.id} incident={each} onOpen={() => onOpen(each.id)} />
          ))}
        </ul>
        {query.hasNextPage ? (
          <Button type="link" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show older
          </Button>
        ) : null}
      </>
    );
  }
  return (
    <section className="part" aria-label="Earlier">
      <h2>Earlier</h2>
      {body}
    </section>
  );
}
