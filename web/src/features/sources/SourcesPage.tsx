import { PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { App, Button } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { AsOf, useNow } from "../../shared/ui/values";
import { AddressDialog } from "./AddressDialog";
import { pauseSource, resumeSource, type Source, sourcesQuery } from "./queries";
import { SourceDialog } from "./SourceDialog";
import { SourceDrawer } from "./SourceDrawer";
import { SourceRow } from "./SourceRow";
import "./sources.css";

/** Where records come from by themselves: what works, what is behind, and what has to be mended. */
export function SourcesPage() {
  const query = useQuery(sourcesQuery);
  const { may } = useSession();
  const navigate = useNavigate();
  const params: { id?: string } = useParams({ strict: false });
  const [adding, setAdding] = useState(false);
  const [address, setAddress] = useState<string | null>(null);
  const now = useNow(10_000);
  const toggle = useToggle();
  const mayWrite = may(permission.writeSources);
  const sources = query.data ?? [];
  const add = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
      Add a source
    </Button>
  );

  let body = <NotYet query={query} what="The sources" rows={4} height={56} />;
  if (query.data && sources.length === 0) {
    body = (
      <EmptyState title="Nothing is read by itself yet" action={mayWrite ? add : undefined}>
        A source is a folder, a bucket, a Kafka topic, a table, or events of Stripe and Plaid. Its records are
        held to a contract and decided on like all others. Records also come by the API (
        <code>/api/v1/events</code>) and from files (<code>finer ingest</code>).
        {mayWrite ? null : " Data engineers of your firm add one here."}
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <ul className="source-list" aria-label="Sources">
        {sources.map((source) => (
          <SourceRow key={source.id} source={source} now={now} onToggle={mayWrite ? toggle : undefined} />
        ))}
      </ul>
    );
  }
  const asOf = query.dataUpdatedAt > 0 ? new Date(query.dataUpdatedAt).toISOString() : undefined;
  return (
    <Page
      title="Sources"
      aside={
        <>
          <AsOf at={asOf} staleAfterS={15} />
          {mayWrite && sources.length > 0 ? add : null}
        </>
      }
    >
      <section className="part" aria-label="Sources">
        {body}
      </section>
      <SourceDrawer
        id={params.id}
        source={sources.find((one) => one.id === params.id)}
        loaded={query.data !== undefined}
        mayWrite={mayWrite}
        onAddress={setAddress}
        onClose={() => void navigate({ to: paths.sources })}
      />
      {adding ? <SourceDialog onClose={() => setAdding(false)} onAddress={setAddress} /> : null}
      {address ? <AddressDialog address={address} onClose={() => setAddress(null)} /> : null}
    </Page>
  );
}

/** Pauses what runs, and resumes or tries what does not. */
export function useToggle(): (source: Source) => void {
  const client = useQueryClient();
  const { message } = App.useApp();
  return (source) => {
    const work = source.state === "running" ? pauseSource : resumeSource;
    void work(source.id)
      .then(() => client.invalidateQueries({ queryKey: sourcesQuery.queryKey }))
      .catch((error: unknown) => message.error(reasonOf(error), 8));
  };
}
