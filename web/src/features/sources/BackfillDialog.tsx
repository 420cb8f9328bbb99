import { useQueryClient } from "@tanstack/react-query";
import { Form, Input } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { backfillSource, type Source, sourcesQuery } from "./queries";
import { BACKFILLS } from "./words";

/** Asks where to begin again. */
export function BackfillDialog({ source, onClose }: { source: Source; onClose(): void }) {
  const client = useQueryClient();
  const about = BACKFILLS[source.connection.type];
  const submit = async ({ begin = "" }: { begin?: string }) => {
    await backfillSource(source.id, begin.trim());
    await client.invalidateQueries({ queryKey: sourcesQuery.queryKey });
  };
  return (
    <FormDialog<{ begin?: string }>
      title={`Read ${source.name} again`}
      okText="Begin again"
      onSubmit={submit}
      onClose={onClose}
    >
      <p>Records that are there already have the same event ids and count once.</p>
      {about?.label ? (
        <Form.Item name="begin" label={about.label} extra={about.hint}>
          <Input maxLength={200} />
        </Form.Item>
      ) : (
        <p className="hint">{about?.hint}</p>
      )}
    </FormDialog>
  );
}
