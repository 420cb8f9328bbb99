import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input } from "antd";
import { useState } from "react";
import { useSession } from "../../shared/session";
import { instantOf, localInput } from "../../shared/time";
import { FormDialog } from "../../shared/ui/FormDialog";
import { FailureState, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { annotate, notesQuery, removeNote } from "./queries";

/** What people noted about moments; the same notes stand on every chart over time. */
export function NotesPanel({ dashboard, mayWrite }: { dashboard: string; mayWrite: boolean }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const query = useQuery(notesQuery(dashboard));
  const [writing, setWriting] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: notesQuery(dashboard).queryKey });
  const remove = (note: string) =>
    void removeNote(dashboard, note)
      .then(refresh)
      .catch((error: unknown) => message.error(reasonOf(error), 8));
  return (
    <section className="part dash-notes" aria-label="Notes">
      <header className="dash-tile-head">
        <h2>Notes</h2>
        {mayWrite ? (
          <Button size="small" className="no-print" onClick={() => setWriting(true)}>
            Add a note
          </Button>
        ) : null}
      </header>
      {query.error && !query.data ? (
        <FailureState what="The notes" error={query.error} onRetry={() => void query.refetch()} />
      ) : null}
      {query.data?.length === 0 ? (
        <p className="muted dash-draft-note">
          A note says what happened at a moment, such as a release or an outage. It stands on every chart.
        </p>
      ) : null}
      <ul>
        {query.data?.map((note) => (
          <li key={note.id}>
            <When at={note.at} /> <span>{note.text}</span> <span className="muted">{note.author}</span>
            {note.mine && mayWrite ? (
              <Button
                type="link"
                size="small"
                className="no-print"
                aria-label={`Take the note ${note.text} away`}
                onClick={() => remove(note.id)}
              >
                Take away
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {writing ? (
        <NoteDialog dashboard={dashboard} onClose={() => setWriting(false)} onSaved={refresh} />
      ) : null}
    </section>
  );
}

interface NoteDialogProps {
  dashboard: string;
  onClose(): void;
  onSaved(): Promise<void>;
}

function NoteDialog({ dashboard, onClose, onSaved }: NoteDialogProps) {
  const { timeZone } = useSession();
  return (
    <FormDialog<{ at: string; text: string }>
      title="Add a note"
      okText="Add"
      initialValues={{ at: localInput(new Date(), timeZone), text: "" }}
      onSubmit={async ({ at, text }) => {
        await annotate(dashboard, instantOf(at, timeZone).toISOString(), text);
        await onSaved();
      }}
      onClose={onClose}
    >
      <Form.Item
        name="text"
        label="What happened"
        rules={[{ required: true, whitespace: true, message: "Say what happened." }]}
      >
        <Input.TextArea rows={2} maxLength={500} />
      </Form.Item>
      <Form.Item
        name="at"
        label="When"
        extra={`By the clock of ${timeZone}`}
        rules={[{ required: true, message: "Say when." }]}
      >
        <Input type="datetime-local" />
      </Form.Item>
    </FormDialog>
  );
}
