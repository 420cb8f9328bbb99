import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Popconfirm, Select } from "antd";
import { useState } from "react";
import { differences } from "../../shared/differences";
import { Dialog } from "../../shared/ui/Dialog";
import { Differences } from "../../shared/ui/Differences";
import { FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { restore, type Saved, type Version, versionsQuery } from "./queries";
import "./versions.css";

interface VersionsDialogProps {
  saved: Saved;
  onClose(): void;
  onOpen(version: Version): void;
}

/** Every version of a saved query: compared with another one, opened, or made the newest again. */
export function VersionsDialog({ saved, onClose, onOpen }: VersionsDialogProps) {
  const query = useQuery(versionsQuery(saved.id));
  return (
    <Dialog open width={760} title={`Versions of ${saved.name}`} footer={null} onCancel={onClose}>
      {query.error && !query.data ? (
        <FailureState what="The versions" error={query.error} onRetry={() => void query.refetch()} />
      ) : !query.data ? (
        <RowsSkeleton rows={4} height={36} label="Loading the versions" />
      ) : (
        <Versions saved={saved} versions={query.data} onOpen={onOpen} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Versions({ saved, versions, onOpen, onClose }: VersionsDialogProps & { versions: Version[] }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [next, setNext] = useState(versions[0]?.version ?? 1);
  const [old, setOld] = useState(versions[1]?.version ?? next);
  const [busy, setBusy] = useState(false);
  const find = (version: number) => versions.find((one) => one.version === version);
  const [before, after] = [find(old), find(next)];
  const bring = async (version: Version) => {
    setBusy(true);
    try {
      const made = await restore(saved, version);
      await client.invalidateQueries({ queryKey: ["sql", "saved"] });
      message.success(`Version ${made.version} says what version ${version.version} said.`);
      onClose();
    } catch (error) {
      message.error(reasonOf(error), 8);
      setBusy(false);
    }
  };
  const options = versions.map((one) => ({ value: one.version, label: `Version ${one.version}` }));
  return (
    <>
      <div className="sql-compare">
        <Select aria-label="Older version" value={old} onChange={setOld} options={options} />
        <span className="muted">compared with</span>
        <Select aria-label="Newer version" value={next} onChange={setNext} options={options} />
      </div>
      {before && after ? <Compared before={before} after={after} /> : null}
      <ul className="sql-list" aria-label="Versions">
        {versions.map((one) => (
          <li key={one.version}>
            <div className="sql-list-text">
              <strong className="num">Version {one.version}</strong>{" "}
              <span className="muted">
                by {one.changed_by}, <When at={one.changed_at} />
                {one.version === saved.version ? " · the newest" : ""}
              </span>
            </div>
            <div className="sql-list-acts">
              <Button onClick={() => onOpen(one)}>Open</Button>
              {saved.mine && one.version !== saved.version ? (
                <Popconfirm
                  title={`Bring back version ${one.version}?`}
                  description={`It becomes version ${saved.version + 1}; nothing is lost.`}
                  okText="Bring back"
                  onConfirm={() => void bring(one)}
                >
                  <Button disabled={busy} aria-label={`Bring back version ${one.version}`}>
                    Bring back
                  </Button>
                </Popconfirm>
              ) : null}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

function Compared({ before, after }: { before: Version; after: Version }) {
  if (before.version === after.version) return <p className="muted">Choose two versions to compare.</p>;
  const lines = differences(before.statement, after.statement);
  const settings =
    JSON.stringify([before.parameters, before.chart]) === JSON.stringify([after.parameters, after.chart]);
  return (
    <section aria-label="What differs">
      {lines.every((line) => line.state === "same") ? (
        <p className="muted">The statements are the same.</p>
      ) : (
        <Differences lines={lines} />
      )}
      {settings ? null : <p className="muted">Its parameters or its chart differ, too.</p>}
    </section>
  );
}
