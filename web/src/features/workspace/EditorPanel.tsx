import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSession } from "../../shared/session";
import { instantOf } from "../../shared/time";
import { CodeField } from "../../shared/ui/CodeField";
import type { CodeEditor, Piece, Vocabulary } from "../../shared/ui/codeEditor";
import { reasonOf } from "../../shared/ui/states";
import { EditorBar } from "./EditorBar";
import { FUNCTIONS } from "./functions";
import { ParameterFields } from "./ParameterFields";
import { ask, cancelRun, catalogueQuery, type Run, runQuery } from "./queries";
import { ResultPanel } from "./ResultPanel";
import { SchemaBrowser } from "./SchemaBrowser";
import { SheetTabs } from "./SheetTabs";
import { parametersIn, type Sheet, type Sheets } from "./sheets";

interface EditorPanelProps {
  sheets: Sheets;
  onSheets(change: (now: Sheets) => Sheets): void;
}

/** Tabs with a statement each, its parameters, and what it was answered with. */
export function EditorPanel({ sheets, onSheets }: EditorPanelProps) {
  const sheet = sheets.open.find((one) => one.id === sheets.at) ?? (sheets.open[0] as Sheet);
  const change = useCallback(
    (fields: Partial<Sheet>) =>
      onSheets((now) => ({
        ...now,
        open: now.open.map((one) => (one.id === sheet.id ? { ...one, ...fields } : one)),
      })),
    [onSheets, sheet.id],
  );
  const editor = useRef<CodeEditor | null>(null);
  const words = useWords(sheet);
  const { run, failure, start, cancel } = useRun(sheet, change);
  const problem = useMemo(
    () =>
      run?.error && run.position !== null && run.position !== undefined
        ? { position: run.position + (sheet.runFrom ?? 0), message: run.error }
        : failure?.position !== undefined
          ? { position: failure.position, message: failure.message }
          : null,
    [run, failure, sheet.runFrom],
  );
  const onStatement = (statement: string) =>
    change({ statement, parameters: parametersIn(statement, sheet.parameters) });
  return (
    <div className="sql-desk">
      <SchemaBrowser onInsert={(text) => editor.current?.insert(text)} />
      <section className="sql-main" aria-label="Statement and result">
        <SheetTabs sheets={sheets} onSheets={onSheets} />
        <CodeField
          key={sheet.id}
          id={sheet.id}
          text={sheet.statement}
          language="sql"
          label="SQL statement"
          hint="select country, count(*) from orders group by country   (Ctrl-Enter runs it)"
          words={words}
          problem={problem}
          editor={editor}
          onChange={onStatement}
          onRun={(piece) => void start(piece)}
          height="clamp(130px, 22vh, 320px)"
        />
        <ParameterFields
          parameters={sheet.parameters}
          values={sheet.values}
          onParameters={(parameters) => change({ parameters })}
          onValues={(values) => change({ values })}
        />
        <EditorBar
          sheet={sheet}
          run={run}
          onRun={() => void start(editor.current?.chosen() ?? { text: sheet.statement, from: 0 })}
          onCancel={() => void cancel()}
          onStatement={(text) => editor.current?.replace(text)}
          onChange={change}
        />
        <ResultPanel
          run={run}
          failure={failure?.message ?? null}
          chart={sheet.chart}
          onChart={(chart) => change({ chart })}
        />
      </section>
    </div>
  );
}

function useWords(sheet: Sheet): Vocabulary {
  const { data } = useQuery(catalogueQuery);
  const names = sheet.parameters.map((one) => one.name).join(",");
  return useMemo(
    () => ({
      tables: (data ?? []).map((table) => ({
        label: table.name,
        detail: `${table.rows.toLocaleString("en")} rows`,
        info: table.description,
        columns: table.columns.map((one) => ({
          label: one.name,
          detail: one.type.toLowerCase(),
          info: one.description || undefined,
        })),
      })),
      functions: FUNCTIONS,
      parameters: names ? names.split(",") : [],
    }),
    [data, names],
  );
}

interface Failure {
  message: string;
  position?: number;
}

/** The run of a sheet: started here, or the one that it was opened with. */
function useRun(sheet: Sheet, change: (fields: Partial<Sheet>) => void) {
  const client = useQueryClient();
  const { me, timeZone } = useSession();
  const [failures, setFailures] = useState<Record<string, Failure | undefined>>({});
  const known = useQuery({ ...runQuery(sheet.runId ?? ""), enabled: Boolean(sheet.runId), retry: false });
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const start = async ({ text: statement, from }: Piece) => {
    setFailures((now) => ({ ...now, [sheet.id]: undefined }));
    const names = new Set(parametersIn(statement, []).map((one) => one.name));
    const kinds = sheet.parameters.filter((one) => names.has(one.name));
    const parameters = Object.fromEntries(
      kinds
        .filter((one) => sheet.values[one.name] !== undefined && sheet.values[one.name] !== null)
        .map((one) => [one.name, sheet.values[one.name] ?? null]),
    );
    try {
      const as_of = sheet.asOf ? instantOf(sheet.asOf, timeZone).toISOString() : null;
      await ask({ statement, parameters, kinds, as_of }, (run) => {
        client.setQueryData(runQuery(run.id).queryKey, run);
        if (alive.current) change({ runId: run.id, runFrom: from });
      });
      void client.invalidateQueries({ queryKey: ["sql", "history"] });
    } catch (error) {
      const at = (error as { members?: { position?: number } }).members?.position;
      setFailures((now) => ({
        ...now,
        [sheet.id]: { message: reasonOf(error), position: at === undefined ? undefined : at + from },
      }));
      change({ runId: undefined });
    }
  };
  const cancel = async () => {
    if (!sheet.runId) return;
    const run = await cancelRun(sheet.runId);
    client.setQueryData(runQuery(run.id).queryKey, run);
  };
  const run: Run | undefined = sheet.runId ? known.data : undefined;
  return { run, failure: failures[sheet.id] ?? null, start, cancel, person: me.user.id };
}
