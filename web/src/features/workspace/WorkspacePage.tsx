import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useEffect, useRef, useState } from "react";
import { paths } from "../../shared/paths";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { EditorPanel } from "./EditorPanel";
import { HistoryList } from "./HistoryList";
import { type Run, runQuery, type Saved } from "./queries";
import { SavedList } from "./SavedList";
import { ScheduleList } from "./ScheduleList";
import { newSheet, opened, recallSheets, rememberSheets, type Sheet, type Sheets } from "./sheets";
import "./workspace.css";

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
  const { me } = useSession();
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
    open(newSheet("From history", { statement: run.statement, values: run.parameters, runId: run.id }));
  useRunFromLink(search.run, openRun);
  return (
    <Page title="SQL">
      <nav className="sql-tabs" aria-label="Parts of the workspace">
        {(Object.keys(TABS) as Tab[]).map((tab) => (
          <Button
            key={tab}
            type={shown === tab ? "primary" : "text"}
            ghost={shown === tab}
            aria-pressed={shown === tab}
            onClick={() => go(tab)}
          >
            {TABS[tab]}
          </Button>
        ))}
      </nav>
      {shown === "editor" ? <EditorPanel sheets={sheets} onSheets={setSheets} /> : null}
      {shown === "saved" ? <SavedList onOpen={openSaved} onNew={() => go("editor")} /> : null}
      {shown === "schedules" ? <ScheduleList onNew={() => go("saved")} onRun={openRun} /> : null}
      {shown === "history" ? <HistoryList onOpen={openRun} onNew={() => go("editor")} /> : null}
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

/** A notification links to the run that it tells of: it opens in a tab of its own, once. */
function useRunFromLink(id: unknown, open: (run: Run) => void) {
  const wanted = typeof id === "string" && id.startsWith("qry_") ? id : null;
  const query = useQuery({ ...runQuery(wanted ?? ""), enabled: wanted !== null });
  const done = useRef<string | null>(null);
  useEffect(() => {
    if (!query.data || query.data.id !== wanted || done.current === wanted) return;
    done.current = wanted;
    open(query.data);
  });
}
