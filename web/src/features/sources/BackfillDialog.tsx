import { useQueryClient } from "@tanstack/react-query";
import { Button, Input } from "antd";
import { type FormEvent, useId, useState } from "react";
import { Dialog } from "../../shared/ui/Dialog";
import { backfillSource, type Source, sourcesQuery } from "./queries";
import { useWork } from "./useWork";
import { BACKFILLS } from "./words";

/** Asks where to begin again. */
export function BackfillDialog({ source, onClose }: { source: Source; onClose(): void }) {
  const id = useId();
  const client = useQueryClient();
  const [begin, setBegin] = useState("");
  const { busy, problem, run } = useWork();
  const about = BACKFILLS[source.connection.type];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run("backfill", async () => {
      await backfillSource(source.id, begin.trim());
      await client.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      onClose();
    });
  };
  return (
    <Dialog
      title={`Read ${source.name} again`}
      onCancel={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="primary" htmlType="submit" form={id} loading={busy !== null}>
            Begin again
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="source-dialog">
        <p>Records that are there already have the same event ids and count once.</p>
        {about?.label ? (
          <>
            <label htmlFor={`${id}-begin`}>{about.label}</label>
            <Input
              id={`${id}-begin`}
              autoFocus
              maxLength={200}
              value={begin}
              onChange={(event) => setBegin(event.target.value)}
            />
          </>
        ) : null}
        <p className="hint">{about?.hint}</p>
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </form>
    </Dialog>
  );
}
