import { Button, Input } from "antd";
import type { RefObject } from "react";
import { counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { When } from "../../shared/ui/values";
import type { useHalfWrittenNote } from "./place";
import { addNote, type CaseDocument } from "./queries";
import { useAct } from "./useAct";
import { ACTIONS, type ActionKind, OUTCOMES, stepWord, VERDICTS, type Verdict } from "./words";

type Entry = CaseDocument["entries"][number];
const BRIEF = 6;

interface HistoryProps {
  found: CaseDocument;
  note: ReturnType<typeof useHalfWrittenNote>;
  noteRef: RefObject<HTMLTextAreaElement | null>;
  /** Only the latest entries. */
  brief?: boolean;
}

/** Notes, and everything else that was done in the case, the latest first. */
export function CaseHistory({ found, note, noteRef, brief = false }: HistoryProps) {
  const { may } = useSession();
  const [, act] = useAct();
  const { text, keeping } = note;
  const shown = brief ? found.entries.slice(0, BRIEF) : found.entries;
  const write = () =>
    note.keep((written) =>
      act(
        () => addNote(found.id, written),
        () => "The note is kept.",
      ),
    );
  return (
    <section aria-label="History">
      <h2>{brief ? "Notes and latest changes" : "Notes and history"}</h2>
      {may(permission.workCases) ? (
        <div className="case-note">
          <Input.TextArea
            ref={(input) => {
              noteRef.current = input?.resizableTextArea?.textArea ?? null;
            }}
            rows={2}
            maxLength={10_000}
            value={text}
            // Also what waited here while its writer was elsewhere holds the page when the session ends.
            data-unsaved={text ? true : undefined}
            aria-label="New note"
            placeholder="Write a note (m). Ctrl+Enter keeps it."
            onChange={({ target }) => note.write(() => target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void write();
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
          <Button onClick={() => void write()} loading={keeping} disabled={!text.trim()}>
            Keep note
          </Button>
        </div>
      ) : null}
      <ol className="case-entries">
        {shown.map((entry) => (
          <li key={entry.id}>
            <span>
              <strong>{entry.by}</strong> {said(entry)}{" "}
              <span className="muted">
                <When at={entry.at} />
              </span>
            </span>
            {entry.text ? <p className="case-text">{entry.text}</p> : null}
          </li>
        ))}
      </ol>
    </section>
  );
}

const STATES: Record<string, string> = { open: "untouched", investigating: "in work", waiting: "waiting" };

function said({ kind, detail, by }: Entry): string {
  const word = (name: string) => String(detail[name] ?? "");
  const alerts = counted(Number(detail.alerts ?? 0), "alert");
  switch (kind) {
    case "opened":
      return `opened the case with ${alerts}`;
    case "alert":
      return `added ${alerts}`;
    case "state":
      return `set it to ${STATES[word("to")] ?? word("to")}`;
    case "assignment":
      if (!detail.to) return "gave it back to the queue";
      return detail.to === by ? "took it" : `gave it to ${word("to")}`;
    case "note":
      return "wrote";
    case "checklist":
      return detail.done ? `did the step ${word("step")}` : `took back the step ${word("step")}`;
    case "attachment":
      return detail.added ? "added a file" : "deleted a file";
    case "action":
      return `${ACTIONS[word("kind") as ActionKind]?.ask.toLowerCase() ?? word("kind")}: ${stepWord(word("step"))}`;
    case "label":
      return `judged ${alerts}: ${VERDICTS[word("verdict") as Verdict] ?? word("verdict")}`;
    case "report":
      return "changed the report";
    case "closed":
      return `closed the case: ${OUTCOMES[word("outcome") as keyof typeof OUTCOMES]?.word ?? word("outcome")}`;
    case "reopened":
      return "opened the case again";
  }
}
