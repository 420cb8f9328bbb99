import { Outlet, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useHotkeys } from "../../shared/hotkeys";
import { PHONE, useMedia } from "../../shared/media";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { usePreferences } from "../../shared/preferences";
import { useSession } from "../../shared/session";
import { LiveControl } from "../../shared/ui/LiveControl";
import { Page } from "../../shared/ui/Page";
import { SavedViews } from "../../shared/ui/SavedViews";
import { useSelection } from "../../shared/ui/useSelection";
import { AlertList } from "./AlertList";
import { ExportButton } from "./ExportButton";
import { FilterBar } from "./FilterBar";
import { type Alert, DEFAULT_FILTER, type Filter, isNarrowed, parseFilter, toSearch } from "./filter";
import type { Verdict } from "./queries";
import { ResolveDialog } from "./ResolveDialog";
import { SummaryAsOf, SummaryTiles } from "./SummaryTiles";
import { type Triage, TriageContext } from "./triage";
import { useFeed } from "./useFeed";
import "./fraud.css";
import "./timeline.css";

const VIEWS = [
  { name: "Open, newest first", search: toSearch(DEFAULT_FILTER) },
  { name: "Open, largest first", search: toSearch({ ...DEFAULT_FILTER, sort: "amount" }) },
  {
    name: "Blocked today",
    search: toSearch({ ...DEFAULT_FILTER, state: "all", action: "block", range: "today" }),
  },
  { name: "Over 1,000 USD", search: toSearch({ ...DEFAULT_FILTER, min: 1000 }) },
];

/** The fraud monitor: numbers, the live list, and the open alert beside it. */
export function FraudPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const filter = useMemo(() => parseFilter(JSON.parse(shape)), [shape]);
  const { id: opened }: { id?: string } = useParams({ strict: false });
  const navigate = useNavigate();
  const phone = useMedia(PHONE);
  const { may } = useSession();
  const { density } = usePreferences();
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(false);
  const [cursor, setCursor] = useState<string | null>(null);
  const [judging, setJudging] = useState<{ alerts: readonly Alert[]; verdict: Verdict } | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const chosen = useRef(0);

  const feed = useFeed(filter, paused || away || chosen.current > 0);
  const { rows } = feed;
  const keys = useMemo(() => rows.map((row) => row.id), [rows]);
  const selection = useSelection(keys);
  chosen.current = selection.keys.size;
  const mayJudge = may(permission.resolveAlerts);
  const at = opened ?? cursor;

  const setFilter = (next: Filter) => {
    selection.clear();
    list.current?.scrollTo({ top: 0 });
    setAway(false);
    void navigate({ to: paths.fraud, search: toSearch(next) });
  };
  const open = (alert: Alert, replace = false) => {
    setCursor(alert.id);
    void navigate({ to: paths.alert, params: { id: alert.id }, search: toSearch(filter), replace });
  };
  const close = () => {
    void navigate({ to: paths.fraud, search: toSearch(filter) });
  };
  const step = (by: 1 | -1) => {
    const row = rows[rows.findIndex((each) => each.id === at) + by];
    if (row && opened) open(row, true);
    else if (row) setCursor(row.id);
  };
  const judge = (alerts: readonly Alert[], verdict: Verdict) => {
    const still = alerts.filter((alert) => alert.state === "open");
    if (mayJudge && still.length > 0) setJudging({ alerts: still, verdict });
  };
  const judgeHere = (verdict: Verdict) => {
    const marked = rows.filter((row) => selection.keys.has(row.id));
    judge(marked.length > 0 ? marked : rows.filter((row) => row.id === at), verdict);
  };
  const onJudged = (latest: readonly Alert[]) => {
    feed.take(latest, false);
    selection.clear();
    if (latest.some((alert) => alert.id === at)) step(1);
  };

  // The opened alert is where j and k go on from once it is closed, by whatever way.
  const before = useRef(opened);
  useEffect(() => {
    if (opened) setCursor(opened);
    else if (before.current) list.current?.focus({ preventScroll: true });
    before.current = opened;
  }, [opened]);

  useHotkeys([
    { key: "j", label: "Next alert", group: "Alerts", run: () => step(1) },
    { key: "k", label: "Alert before", group: "Alerts", run: () => step(-1) },
    { key: "Enter", label: "Open the alert", group: "Alerts", run: () => openAt(rows, at, open) },
    {
      key: "x",
      label: "Choose the alert, for many at once",
      group: "Alerts",
      run: () => at && selection.toggle(at, false),
    },
    { key: "c", label: "Confirm fraud", group: "Alerts", run: () => judgeHere("confirmed_fraud") },
    { key: "d", label: "Dismiss", group: "Alerts", run: () => judgeHere("dismissed") },
    { key: "p", label: "Pause or resume", group: "Alerts", run: () => setPaused((before) => !before) },
    {
      key: "Escape",
      label: "Close the alert",
      group: "Alerts",
      run: () => (opened ? close() : selection.clear()),
    },
  ]);

  const triage: Triage = { judge, step, close };
  return (
    <TriageContext value={triage}>
      <div className={opened ? "fraud fraud-open" : "fraud"}>
        <div className="fraud-main" hidden={phone && opened !== undefined}>
          <Page
            title="Fraud monitor"
            fill
            aside={
              <>
                <SummaryAsOf paused={paused} />
                <LiveControl state={feed.state} paused={paused} onPause={setPaused} />
                <span className="page-tools">
                  {feed.resolved > 0 ? (
                    <Button onClick={feed.tidy}>Put away {feed.resolved} judged</Button>
                  ) : null}
                  <SavedViews
                    list="fraud"
                    standard={VIEWS}
                    here={toSearch(filter)}
                    onChoose={(view) => setFilter(parseFilter(view))}
                  />
                  {may(permission.exportAlerts) ? <ExportButton filter={filter} /> : null}
                </span>
              </>
            }
          >
            {may(permission.summariseAlerts) ? <SummaryTiles paused={paused} /> : null}
            <FilterBar filter={filter} onChange={setFilter} />
            <AlertList
              feed={feed}
              filter={filter}
              compact={density === "compact"}
              cursor={at}
              selection={mayJudge ? selection : undefined}
              scrollRef={list}
              onCursor={setCursor}
              onOpen={(alert) => open(alert, opened !== undefined)}
              onScrolled={setAway}
              onClearFilter={() => {
                if (filter.state === "open" && !isNarrowed(filter)) feed.refresh();
                setFilter(DEFAULT_FILTER);
              }}
            />
            {selection.keys.size > 0 ? (
              <section className="bulk" aria-label="Chosen alerts">
                <strong className="num">{counted(selection.keys.size, "alert")} chosen</strong>
                <Button type="primary" danger onClick={() => judgeHere("confirmed_fraud")}>
                  Confirm fraud
                </Button>
                <Button onClick={() => judgeHere("dismissed")}>Dismiss</Button>
                <Button type="text" onClick={selection.clear}>
                  Choose none
                </Button>
              </section>
            ) : null}
          </Page>
        </div>
        <Outlet />
      </div>
      {judging ? <ResolveDialog {...judging} onClose={() => setJudging(null)} onDone={onJudged} /> : null}
    </TriageContext>
  );
}

function openAt(rows: readonly Alert[], id: string | null, open: (alert: Alert) => void): void {
  const row = rows.find((each) => each.id === id);
  if (row) open(row);
}
