import {
  CaretRightOutlined,
  FormatPainterOutlined,
  QuestionCircleOutlined,
  SaveOutlined,
  StopOutlined,
} from "@ant-design/icons";
import { App, Button, Input } from "antd";
import { useId, useState } from "react";
import { useHotkeys } from "../../shared/hotkeys";
import { useSession } from "../../shared/session";
import { localInput } from "../../shared/time";
import { Dialog } from "../../shared/ui/Dialog";
import { reasonOf } from "../../shared/ui/states";
import { explain, layOut, type Run } from "./queries";
import { SaveDialog } from "./SaveDialog";
import type { Sheet } from "./sheets";
import "./versions.css";

interface EditorBarProps {
  sheet: Sheet;
  run: Run | undefined;
  onRun(): void;
  onCancel(): void;
  onStatement(text: string): void;
  onChange(fields: Partial<Sheet>): void;
}

/** What can be done with the statement. */
export function EditorBar({ sheet, run, onRun, onCancel, onStatement, onChange }: EditorBarProps) {
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const asOf = useId();
  const [told, setTold] = useState<string[] | null>(null);
  const [saving, setSaving] = useState(false);
  const busy = run?.state === "queued" || run?.state === "running";
  const empty = sheet.statement.trim() === "";
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      message.error(reasonOf(error), 6);
    }
  };
  useHotkeys([{ key: "s", label: "Save the query", group: "SQL", run: () => !empty && setSaving(true) }]);
  return (
    <div className="sql-bar">
      {busy ? (
        <Button danger icon={<StopOutlined aria-hidden />} onClick={onCancel}>
          {run.state === "queued" ? "Waiting for room… Cancel" : "Running… Cancel"}
        </Button>
      ) : (
        <Button type="primary" icon={<CaretRightOutlined aria-hidden />} onClick={onRun} disabled={empty}>
          Run
        </Button>
      )}
      <Button
        icon={<FormatPainterOutlined aria-hidden />}
        disabled={empty}
        onClick={() => void attempt(async () => onStatement(await layOut(sheet.statement)))}
      >
        Format
      </Button>
      <Button
        icon={<QuestionCircleOutlined aria-hidden />}
        disabled={empty}
        onClick={() => void attempt(async () => setTold(await explain(sheet.statement)))}
      >
        Explain
      </Button>
      <Button icon={<SaveOutlined aria-hidden />} disabled={empty} onClick={() => setSaving(true)}>
        {sheet.saved?.mine ? "Save version" : "Save"}
      </Button>
      <span className="sql-as-of">
        <label htmlFor={asOf}>As of</label>
        <Input
          id={asOf}
          type="datetime-local"
          title={`The lake as it was at that time (${timeZone}); empty for as it is`}
          value={sheet.asOf ?? ""}
          max={localInput(new Date(), timeZone)}
          onChange={(event) => onChange({ asOf: event.target.value || undefined })}
        />
        {sheet.asOf ? (
          <Button size="small" type="text" onClick={() => onChange({ asOf: undefined })}>
            Now
          </Button>
        ) : null}
      </span>
      <span className="muted sql-keys">Ctrl-Enter runs the statement at the cursor</span>
      {told ? (
        <Dialog title="In plain words" footer={null} onCancel={() => setTold(null)}>
          <ol className="sql-explained">
            {told.map((sentence, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the sentences of one explanation never move.
              <li key={i} className={sentence.startsWith("  ") ? "sql-deeper" : undefined}>
                {sentence.trim()}
              </li>
            ))}
          </ol>
        </Dialog>
      ) : null}
      {saving ? <SaveDialog sheet={sheet} onClose={() => setSaving(false)} onSaved={onChange} /> : null}
    </div>
  );
}
