import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useCallback, useMemo, useState } from "react";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { DataGrid } from "../../../shared/ui/DataGrid";
import { ListFoot } from "../../../shared/ui/ListFoot";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { AuditDrawer } from "./AuditDrawer";
import { AuditFilters } from "./AuditFilters";
import { ChainStatus } from "./ChainStatus";
import { AuditCard, columns } from "./columns";
import { ExportDialog } from "./ExportDialog";
import { type AuditFilter, isNarrowed, parseFilter, toSearch } from "./filter";
import { auditQuery } from "./queries";
import "./audit.css";

/** Who did what, who looked at what, what was denied, and whether the trail of it is whole. */
export function AuditPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const filter = useMemo(() => parseFilter(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const { may } = useSession();
  const [exporting, setExporting] = useState(false);
  const go = (next: AuditFilter, entry?: string) =>
    void navigate({ to: paths.audit, search: toSearch(next, entry), replace: true, resetScroll: false });
  return (
    <Page
      fill
      title="Audit"
      aside={
        may(permission.exportAudit) ? <Button onClick={() => setExporting(true)}>Export</Button> : undefined
      }
    >
      <ChainStatus />
      <section className="part audit-part" aria-label="Entries">
        <AuditFilters filter={filter} onChange={(next) => go(next)} />
        <Entries
          filter={filter}
          opened={typeof search.entry === "string" ? search.entry : undefined}
          onOpen={(entry) => go(filter, entry)}
          onFilter={(next) => go(next)}
        />
      </section>
      {exporting ? <ExportDialog filter={filter} onClose={() => setExporting(false)} /> : null}
    </Page>
  );
}

interface EntriesProps {
  filter: AuditFilter;
  opened: string | undefined;
  onOpen(entry?: string): void;
  onFilter(filter: AuditFilter): void;
}

function Entries({ filter, opened, onOpen, onFilter }: EntriesProps) {
  const query = useInfiniteQuery(auditQuery(filter));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const [cursor, setCursor] = useState<string | null>(null);
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);
  if (!query.data) return <NotYet query={query} what="The audit trail" rows={10} height={36} />;
  if (rows.length === 0) {
    return isNarrowed(filter) ? (
      <EmptyState
        title="No entry matches"
        action={<Button onClick={() => onFilter({})}>Show all entries</Button>}
      >
        Nothing of this kind was written down. A name must be whole; an action may end in *.
      </EmptyState>
    ) : (
      <EmptyState
        title="Nothing was written down yet"
        action={<Button onClick={() => void query.refetch()}>Check again</Button>}
      >
        Every change, every sensitive look and every denied request leaves an entry here that nobody can
        change.
      </EmptyState>
    );
  }
  return (
    <>
      <div className="audit-grid">
        <DataGrid
          label="Audit entries"
          columns={columns}
          rows={rows}
          keyOf={(entry) => entry.id}
          rowHeight={36}
          cardsBelow={560}
          cardHeight={74}
          card={(entry) => <AuditCard entry={entry} />}
          cursor={cursor}
          onCursor={setCursor}
          onOpen={(entry) => onOpen(entry.id)}
          onEnd={more}
          footer={<ListFoot query={query} rows={rows.length} noun="entry" plural="entries" />}
        />
      </div>
      <AuditDrawer
        entry={rows.find((entry) => entry.id === opened)}
        onClose={() => onOpen()}
        onFilter={onFilter}
      />
    </>
  );
}
