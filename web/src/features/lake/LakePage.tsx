import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { AsOf } from "../../shared/ui/values";
import { ExportDialog } from "./ExportDialog";
import { ExportList } from "./ExportList";
import { ExtractList } from "./ExtractList";
import { lakeQuery } from "./queries";
import { SnapshotList } from "./SnapshotList";
import { TableList } from "./TableList";
import "./lake.css";

/** The lake: what is in it, how it is stored, how far back it can be asked, and files of it to take away. */
export function LakePage() {
  const query = useQuery(lakeQuery);
  const { may } = useSession();
  const [asked, setAsked] = useState<string | null>(null);
  const mayExport = may(permission.exportLake);
  const tables = query.data?.tables ?? [];
  return (
    <Page
      title="Lake"
      aside={
        <>
          <AsOf at={query.data?.as_of} staleAfterS={60} />
          {mayExport && tables.length > 0 ? (
            <Button type="primary" onClick={() => setAsked(tables[0]?.name ?? "")}>
              Export a table
            </Button>
          ) : null}
        </>
      }
    >
      <TableList
        lake={query.data}
        error={query.data ? null : query.error}
        onRetry={() => void query.refetch()}
        onExport={mayExport ? setAsked : undefined}
      />
      {mayExport ? <ExportList /> : null}
      {may(permission.readExtracts) ? <ExtractList tables={tables.map((each) => each.name)} /> : null}
      {tables.length > 0 ? <SnapshotList lake={query.data} /> : null}
      {asked !== null ? (
        <ExportDialog table={asked} tables={tables.map((each) => each.name)} onClose={() => setAsked(null)} />
      ) : null}
    </Page>
  );
}
