import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Tooltip } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useHotkeys } from "../../shared/hotkeys";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { usePreferences } from "../../shared/preferences";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { SavedViews } from "../../shared/ui/SavedViews";
import { useSelection } from "../../shared/ui/useSelection";
import { AsOf } from "../../shared/ui/values";
import { AnalystsDrawer } from "./AnalystsDrawer";
import { CaseFilterBar } from "./CaseFilterBar";
import { CaseList } from "./CaseList";
import { CloseDialog } from "./CloseDialog";
import { type Case, DEFAULT_FILTER, type Filter, parseFilter, toSearch } from "./filter";
import { PolicyDrawer } from "./PolicyDrawer";
import { leaveQueue, queuePlace } from "./place";
import { QueueTiles } from "./QueueTiles";
import { casesQuery, giveOut, queueQuery, take, takeNext } from "./queries";
import { useAct } from "./useAct";
import type { Verdict } from "./words";
import "./cases.css";

const VIEWS = [
  { name: "The queue", search: toSearch(DEFAULT_FILTER) },
  { name: "Mine", search: toSearch({ ...DEFAULT_FILTER, assignee: "me" }) },
  {
    name: "Urgent, nobody's",
    search: toSearch({ ...DEFAULT_FILTER, assignee: "nobody", priority: "urgent" }),
  },
  { name: "Overdue", search: toSearch({ ...DEFAULT_FILTER, overdue: true }) },
  { name: "Closed, newest first", search: toSearch({ ...DEFAULT_FILTER, closed: "yes", sort: "newest" }) },
];
const GIVEN_OUT = 50;

/** The queue of cases: what is due first and costs most is on top. */
export function CasesPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const filter = useMemo(() => parseFilter(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const client = useQueryClient();
  const { may } = useSession();
  const { density } = usePreferences();
  const [cursor, setCursor] = useState(() => queuePlace(client).id);
  const list = useRef<HTMLDivElement>(null);
  const [closing, setClosing] = useState<{ cases: readonly Case[]; verdict: Verdict } | null>(null);
  const [showing, setShowing] = useState<"analysts" | "policy" | null>(null);
  const [busy, act] = useAct();
  const query = useInfiniteQuery(casesQuery(filter));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const selection = useSelection(useMemo(() => rows.map((row) => row.id), [rows]));
  const works = may(permission.workCases);

  const setFilter = (next: Filter) => {
    selection.clear();
    void navigate({ to: paths.cases, search: toSearch(next) });
  };
  const open = (id: string) => {
    leaveQueue(client, { search: toSearch(filter), id });
    void navigate({ to: paths.case, params: { id } });
  };
  const here = rows.find((row) => row.id === cursor);
  const there = rows.length > 0;
  // Whoever comes back from a case goes on at its row.
  useEffect(() => {
    const { search: before, id } = queuePlace(client);
    if (!there || id === null) return;
    leaveQueue(client, { search: before, id: null });
    list.current?.focus({ preventScroll: true });
  }, [there, client]);
  const step = (by: 1 | -1) => {
    const row = rows[rows.findIndex((each) => each.id === cursor) + by];
    if (row) setCursor(row.id);
  };
  const next = async () => {
    const taken = await act(takeNext, (found) => `You have case #${found.number}.`);
    if (taken) open(taken.id);
  };
  const takeHere = () =>
    here &&
    works &&
    void act(
      () => take(here),
      (found) => `You have case #${found.number}.`,
    );
  const close = (verdict: Verdict) => {
    const marked = rows.filter((row) => selection.keys.has(row.id));
    const chosen = (marked.length > 0 ? marked : here ? [here] : []).filter((row) => row.closed_at === null);
    if (may(permission.closeCases) && chosen.length > 0) setClosing({ cases: chosen, verdict });
  };
  const give = () =>
    act(
      () => giveOut(GIVEN_OUT),
      ({ given }) => {
        const told = Object.entries(given).map(([name, cases]) => `${name} ${cases}`);
        return told.length > 0 ? `Given out: ${told.join(", ")}.` : "There was nothing to give out.";
      },
    );
  const keys = { group: "Cases" };
  useHotkeys([
    { ...keys, key: "j", label: "Next case", run: () => step(1) },
    { ...keys, key: "k", label: "Case before", run: () => step(-1) },
    { ...keys, key: "Enter", label: "Open the case", run: () => here && open(here.id) },
    { ...keys, key: "n", label: "Take the next case", run: () => works && void next() },
    { ...keys, key: "t", label: "Take this case", run: takeHere },
    {
      ...keys,
      key: "x",
      label: "Choose, for many at once",
      run: () => cursor && selection.toggle(cursor, false),
    },
    { ...keys, key: "f", label: "Close as fraud", run: () => close("confirmed_fraud") },
    { ...keys, key: "g", label: "Close as genuine", run: () => close("dismissed") },
    { ...keys, key: "Escape", label: "Choose none", run: () => selection.clear() },
  ]);

  return (
    <Page
      title="Cases"
      fill
      aside={
        <Aside
          works={works}
          busy={busy}
          onNext={() => void next()}
          onGive={() => void give()}
          onShow={setShowing}
          filter={filter}
          onFilter={setFilter}
        />
      }
    >
      <QueueTiles />
      <CaseFilterBar filter={filter} onChange={setFilter} />
      <div className="case-list">
        <CaseList
          filter={filter}
          compact={density === "compact"}
          cursor={cursor}
          selection={may(permission.closeCases) ? selection : undefined}
          scrollRef={list}
          onCursor={setCursor}
          onOpen={open}
          onClear={() => setFilter(DEFAULT_FILTER)}
        />
      </div>
      {selection.keys.size > 0 ? (
        <section className="bulk" aria-label="Chosen cases">
          <strong className="num">{counted(selection.keys.size, "case")} chosen</strong>
          <Button type="primary" danger onClick={() => close("confirmed_fraud")}>
            Close as fraud
          </Button>
          <Button onClick={() => close("dismissed")}>Close as genuine</Button>
          <Button type="text" onClick={selection.clear}>
            Choose none
          </Button>
        </section>
      ) : (
        <p className="case-keys muted">
          <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>n</kbd> takes the next, <kbd>t</kbd>{" "}
          this one, <kbd>x</kbd> chooses, <kbd>f</kbd> fraud, <kbd>g</kbd> genuine, <kbd>?</kbd> all keys
        </p>
      )}
      {closing ? (
        <CloseDialog {...closing} onClose={() => setClosing(null)} onDone={() => selection.clear()} />
      ) : null}
      <AnalystsDrawer open={showing === "analysts"} onClose={() => setShowing(null)} />
      <PolicyDrawer open={showing === "policy"} onClose={() => setShowing(null)} />
    </Page>
  );
}

interface AsideProps {
  works: boolean;
  busy: boolean;
  filter: Filter;
  onNext(): void;
  onGive(): void;
  onShow(what: "analysts" | "policy"): void;
  onFilter(filter: Filter): void;
}

function Aside({ works, busy, filter, onNext, onGive, onShow, onFilter }: AsideProps) {
  const { data } = useQuery({ ...queueQuery, enabled: false });
  const nothing = data?.open === 0;
  return (
    <>
      <AsOf at={data?.as_of} staleAfterS={60} />
      <span className="page-tools">
        <SavedViews
          list="cases"
          standard={VIEWS}
          here={toSearch(filter)}
          onChoose={(search) => onFilter(parseFilter(search))}
        />
        <Button onClick={() => onShow("analysts")}>Analysts</Button>
        <Button onClick={() => onShow("policy")}>Queue settings</Button>
        {works ? (
          <>
            <Tooltip
              title={
                nothing
                  ? "No case is open"
                  : `Gives up to ${GIVEN_OUT} cases of nobody to those who are available, in turn and by skill`
              }
            >
              <Button onClick={onGive} disabled={busy || nothing}>
                Give out
              </Button>
            </Tooltip>
            <Button type={nothing ? "default" : "primary"} onClick={onNext} loading={busy} disabled={nothing}>
              Take the next <kbd>n</kbd>
            </Button>
          </>
        ) : null}
      </span>
    </>
  );
}
