import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm } from "antd";
import { useState } from "react";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Fact } from "../../shared/ui/Fact";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { EmptyState, RowsSkeleton } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { BackfillDialog } from "./BackfillDialog";
import { newAddress, removeSource, type Source, sourcesQuery } from "./queries";
import { SourceDialog } from "./SourceDialog";
import { History, Items, Receipts } from "./sourceParts";
import { useWork } from "./useWork";
import { BACKFILLS, FIELDS, KINDS, STATES } from "./words";

interface DrawerProps {
  id: string | undefined;
  source: Source | undefined;
  loaded: boolean;
  mayWrite: boolean;
  onAddress(address: string): void;
  onClose(): void;
}

/** One source: how it is set up, what can be done, what happened, and what became of its files and receipts. */
export function SourceDrawer({ id, source, loaded, mayWrite, onAddress, onClose }: DrawerProps) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={680} title={source?.name ?? "Source"}>
      {source ? (
        <Contents source={source} mayWrite={mayWrite} onAddress={onAddress} onClose={onClose} />
      ) : loaded ? (
        <EmptyState title="There is no such source">It may have been removed.</EmptyState>
      ) : (
        <RowsSkeleton rows={5} height={32} label="Loading the source" />
      )}
    </SideDrawer>
  );
}

type ContentsProps = Omit<DrawerProps, "id" | "loaded" | "source"> & { source: Source };

function Contents({ source, mayWrite, onAddress, onClose }: ContentsProps) {
  const { may } = useSession();
  return (
    <div className="record">
      {source.error ? (
        <p role="alert" className="problem">
          {source.error}
        </p>
      ) : null}
      <dl className="facts">
        <Fact name="State">
          <Tag {...STATES[source.state]} />
        </Fact>
        {source.state === "failing" && source.next_try_at ? (
          <Fact name="Next attempt">
            <When at={source.next_try_at} />
          </Fact>
        ) : null}
        <Fact name="Kind">{KINDS[source.connection.type].title}</Fact>
        <Fact name="Contract">{contractWord(source.contract)}</Fact>
        {settingsShown(source).map(([label, value]) => (
          <Fact key={label} name={label}>
            <span className="source-value">{value}</span>
          </Fact>
        ))}
        <Fact name="Received">
          <span className="num">
            {count(source.received)} ({count(source.accepted)} valid, {count(source.quarantined)} quarantined)
          </span>
          <p className="hint">
            What is read again is received again. Its receipts tell which records were duplicates.
          </p>
        </Fact>
        <Fact name="Made">
          <When at={source.created_at} /> by {source.made_by}
        </Fact>
        <Fact name="Id">
          <span className="num">{source.id}</span>
        </Fact>
      </dl>
      {mayWrite ? <Acts source={source} onAddress={onAddress} onClose={onClose} /> : null}
      {source.mapping ? (
        <>
          <h3>Mapping</h3>
          <pre className="source-mapping">{source.mapping}</pre>
        </>
      ) : null}
      <History id={source.id} />
      {["folder", "objects", "stripe"].includes(source.connection.type) ? <Items source={source} /> : null}
      {may(permission.readReceipts) ? <Receipts id={source.id} /> : null}
    </div>
  );
}

function Acts({ source, onAddress, onClose }: Pick<ContentsProps, "source" | "onAddress" | "onClose">) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [dialog, setDialog] = useState<"change" | "backfill" | null>(null);
  const { busy, problem, run } = useWork();
  const remove = () =>
    run("remove", async () => {
      await removeSource(source.id);
      await client.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      message.success(`${source.name} is removed. Its records stay.`);
      onClose();
    });
  const address = () => run("address", async () => onAddress((await newAddress(source.id)).address));
  return (
    <>
      <div className="source-acts">
        <Button onClick={() => setDialog("change")}>Change</Button>
        {BACKFILLS[source.connection.type] ? (
          <Button onClick={() => setDialog("backfill")}>Read again</Button>
        ) : null}
        {["stripe", "plaid"].includes(source.connection.type) ? (
          <Button onClick={() => void address()} loading={busy === "address"}>
            New address
          </Button>
        ) : null}
        <Popconfirm
          title="Remove this source?"
          description="Its credentials are forgotten. The records that came from it stay."
          okText="Remove"
          onConfirm={() => void remove()}
        >
          <Button danger loading={busy === "remove"}>
            Remove
          </Button>
        </Popconfirm>
      </div>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
      {dialog === "change" ? (
        <SourceDialog source={source} onClose={() => setDialog(null)} onAddress={onAddress} />
      ) : null}
      {dialog === "backfill" ? <BackfillDialog source={source} onClose={() => setDialog(null)} /> : null}
    </>
  );
}

function settingsShown(source: Source): [string, string][] {
  const settings: Record<string, unknown> = { ...source.connection };
  return FIELDS[source.connection.type]
    .filter((field) => field.name !== "mechanism" || String(settings.security).startsWith("sasl"))
    .filter((field) => !field.secret && settings[field.name] !== "" && settings[field.name] != null)
    .map((field) => [field.label, String(settings[field.name])]);
}
