import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { paths } from "../../shared/paths";
import { useSession } from "../../shared/session";
import { localInput } from "../../shared/time";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { EditorPanel } from "./EditorPanel";
import { HistoryList } from "./HistoryList";
import { type Run, runQuery, type Saved, savedOneQuery } from "./queries";
import { SavedList } from "./SavedList";
import { ScheduleList } from "./ScheduleList";
import { newSheet, opened, recallSheets, rememberSheets, type Sheet, type Sheets } from "./sheets";
import "./workspace.css";
import "./narrow.css";

const TABS = {
  editor: "Editor",
  saved: "Saved queries",
  schedules: "Schedules",
  history: "History",
} as const;
type Tab = keyof typeof TABS;

/** Questions to the lake: asked, kept, drawn, repeated and watched. */
export function WorkspacePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const { me, timeZone } = useSession();
  const [sheets, setSheets] = useState<Sheets>(() => recallSheets(me.user.id));
  useEffect(() => rememberSheets(me.user.id, sheets), [me.user.id, sheets]);
  const shown: Tab = typeof search.tab === "string" && search.tab in TABS ? (search.tab as Tab) : "editor";
  const go = (tab: Tab) => void navigate({ to: paths.sql, search: tab === "editor" ? {} : { tab } });
  const open = (sheet: Sheet) => {
    setSheets((now) => opened(now, sheet));
    go("editor");
  };
  const openSaved = (saved: Saved) => open(sheetOf(saved));
  const openRun = (run: Run) =>
    open(
      newSheet("From history", {
        statement: run.statement,
        values: run.parameters,
        runId: run.id,
        asOf: run.as_of ? localInput(run.as_of, timeZone) : undefined,
      }),
    );
  // A notification links to a run, the catalogue to a saved query.
  const [runId, savedId] = [idIn(search.run, "qry_"), idIn(search.saved, "sav_")];
  const linkedRun = useQuery({ ...runQuery(runId ?? ""), enabled: runId !== null });
  const linkedSaved = useQuery({ ...savedOneQuery(savedId ?? ""), enabled: savedId !== null });
  useOnce(linkedRun.data, runId, openRun);
  useOnce(linkedSaved.data, savedId, openSaved);
  return (
    <Page title="SQL">
      <Parts
        label="Parts of the workspace"
        parts={(Object.keys(TABS) as Tab[]).map((name) => ({ name, title: TABS[name] }))}
        shown={shown}
        onShow={go}
      >
        {shown === "editor" ? <EditorPanel sheets={sheets} onSheets={setSheets} /> : null}
        {shown === "saved" ? <SavedList onOpen={openSaved} onNew={() => go("editor")} /> : null}
        {shown === "schedules" ? <ScheduleList onNew={() => go("saved")} onRun={openRun} /> : null}
        {shown === "history" ? <HistoryList onOpen={openRun} onNew={() => go("editor")} /> : null}
      </Parts>
    </Page>
  );
}

export function sheetOf(saved: Saved): Sheet {
  return newSheet(saved.name, {
    statement: saved.statement,
    parameters: saved.parameters,
    values: Object.fromEntries(saved.parameters.map((one) => [one.name, one.default ?? null])),
    chart: saved.chart,
    saved: { id: saved.id, version: saved.version, mine: saved.mine },
  });
}

const idIn = (found: unknown, prefix: string) =>
  typeof found === "string" && found.startsWith(prefix) ? found : null;

/** What a link names opens in a tab of its own, once. */
function useOnce<T extends { id: string }>(
  found: T | undefined,
  wanted: string | null,
  open: (it: T) => void,
) {
  const done = useRef<string | null>(null);
  useEffect(() => {
    if (!found || found.id !== wanted || done.current === wanted) return;
    done.current = wanted;
    open(found);
  });
}
