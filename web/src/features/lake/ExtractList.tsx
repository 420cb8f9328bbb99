import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm } from "antd";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { roleText } from "../../shared/grants";
import { counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { ExtractDialog } from "./ExtractDialog";
import { PasswordDialog } from "./PasswordDialog";
import {
  closeExtract,
  type Extract,
  type ExtractPassword,
  extractsQuery,
  newPassword,
  refreshExtract,
} from "./queries";

/** What BI tools read: masked copies of tables, as PostgreSQL. */
export function ExtractList({ tables }: { tables: string[] }) {
  const query = useQuery(extractsQuery);
  const { may } = useSession();
  const [opening, setOpening] = useState(false);
  const [given, setGiven] = useState<ExtractPassword | null>(null);
  const page = query.data;
  const mayOpen = may(permission.writeExtracts) && page?.address != null && tables.length > 0;
  const open = mayOpen ? <Button onClick={() => setOpening(true)}>Open to a BI tool</Button> : undefined;
  let body = <NotYet query={query} what="The extracts" rows={2} height={44} />;
  if (page && page.items.length === 0)
    body = (
      <EmptyState title="No BI tool reads the lake" action={open}>
        {page.address
          ? "Tableau, Power BI and others read a masked copy of the tables you choose, as PostgreSQL. A second person lets them."
          : "This installation has no database for BI tools. Its operator names one in FINER_BI_DATABASE_URL."}
      </EmptyState>
    );
  else if (page)
    body = (
      <ul className="lake-list" aria-label="Extracts">
        {page.items.map((one) => (
          <Row key={one.id} one={one} onPassword={setGiven} />
        ))}
      </ul>
    );
  return (
    <section className="part" aria-label="For BI tools">
      <h2 className="lake-head">
        For BI tools
        <span className="muted">
          {page?.address ? `PostgreSQL at ${page.address.host}:${page.address.port}` : ""}
        </span>
        {page && page.items.length > 0 ? <span className="push">{open}</span> : null}
      </h2>
      {body}
      {opening && page ? (
        <ExtractDialog tables={tables} roles={page.roles} onClose={() => setOpening(false)} />
      ) : null}
      {given ? <PasswordDialog given={given} onClose={() => setGiven(null)} /> : null}
    </section>
  );
}

function Row({ one, onPassword }: { one: Extract; onPassword(given: ExtractPassword): void }) {
  const { message } = App.useApp();
  const { may } = useSession();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await work();
      await client.invalidateQueries({ queryKey: extractsQuery.queryKey });
    } catch (error) {
      if (!(isProblem(error, 403) && error.type === STEP_UP)) message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
    }
  };
  const refresh = async () => {
    const { run } = await refreshExtract(one.id);
    message.success(run ? "It is being copied; the page Jobs shows how far." : "A copy is queued already.");
  };
  return (
    <li className="lake-row">
      <code>{one.name}</code>
      {one.problem ? <Tag word="Not copied" tone="block" /> : null}
      {!one.problem && !one.refreshed_at ? <Tag word="Being copied" tone="quiet" /> : null}
      <span className="lake-what">
        {one.tables.join(", ")}
        {one.days === null ? "" : `, the last ${one.days} days`}
        <span className="muted">
          {" "}
          · as {roleText(one.shown_as)} sees it · every {one.every_hours} h · by {one.made_by}
          {one.password_at ? (
            <>
              {" "}
              · password of <When at={one.password_at} />
            </>
          ) : (
            " · no password yet"
          )}
        </span>
        {one.problem ? <span role="alert"> {one.problem}</span> : null}
      </span>
      <span className="push lake-buttons">
        {may(permission.writeExtracts) ? (
          <>
            <Button size="small" disabled={busy} onClick={() => void act(refresh)}>
              Copy now
            </Button>
            <Popconfirm
              title={one.password_at ? `Another password for ${one.name}?` : `A password for ${one.name}?`}
              description={one.password_at ? "Programs that use the old one are put out at once." : undefined}
              okText="Show it"
              onConfirm={() => void act(async () => onPassword(await newPassword(one.id)))}
            >
              <Button size="small" disabled={busy || !one.refreshed_at}>
                Password
              </Button>
            </Popconfirm>
          </>
        ) : null}
        {may(permission.closeExtracts) ? (
          <Popconfirm
            title={`Close ${one.name}?`}
            description="Its login, its sessions and its tables are gone at once."
            okText="Close it"
            onConfirm={() => void act(() => closeExtract(one.id))}
          >
            <Button size="small" danger disabled={busy}>
              Close
            </Button>
          </Popconfirm>
        ) : null}
        {one.refreshed_at ? (
          <span className="num">
            {counted(one.rows ?? 0, "row")}, <When at={one.refreshed_at} />
          </span>
        ) : null}
      </span>
    </li>
  );
}
