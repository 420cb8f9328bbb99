import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { App, Button } from "antd";
import { useEffect, useMemo, useState } from "react";
import { useHotkeys } from "../../shared/hotkeys";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Behind } from "../../shared/ui/Behind";
import { LiveControl } from "../../shared/ui/LiveControl";
import { Page } from "../../shared/ui/Page";
import { EmptyState, reasonOf } from "../../shared/ui/states";
import { AlertDialog } from "./AlertDialog";
import { BoardMenu } from "./BoardMenu";
import { Editor } from "./Editor";
import { ExportTileDialog } from "./ExportTileDialog";
import { Filters } from "./Filters";
import { inOrder } from "./layout";
import { NotesPanel } from "./NotesPanel";
import { placeOf } from "./place";
import { type Dashboard, notesQuery, refreshTile, type Shown, type Tile } from "./queries";
import { RowsDrawer } from "./RowsDrawer";
import { TileFrame } from "./TileFrame";
import { usePresentation } from "./usePresentation";
import { type Live, useShown } from "./useShown";
import { type BoardFilters, filterSearch, filterWords, parseFilters } from "./view";

interface DashboardViewProps {
  dashboard: Dashboard;
  /** Somebody changed it: look at the newest. */
  onChanged(): void;
}

/** A dashboard that is looked at, presented, or laid out by its owner. */
export function DashboardView({ dashboard, onChanged }: DashboardViewProps) {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const filters = useMemo(() => parseFilters(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const { may } = useSession();
  const live = useShown(dashboard, filters, onChanged);
  const { state } = live;
  // A stream that ends may have ended because the dashboard is shared otherwise now.
  useEffect(() => {
    if (state === "reconnecting") onChanged();
  }, [state, onChanged]);
  const editing = search.edit === true && dashboard.mine;
  const go = (next: BoardFilters, edit = false) =>
    void navigate({
      to: paths.dashboard,
      params: { id: dashboard.id },
      search: { ...filterSearch(next), ...(edit ? { edit: true } : {}) },
      resetScroll: false,
    });
  const presentation = usePresentation(!editing);
  const present = presentation.begin;
  useHotkeys([
    { key: "p", label: "Pause or resume", group: "Dashboard", run: () => live.pause(!live.paused) },
    ...(presentation.on
      ? [{ key: "Escape", label: "Leave the presentation", group: "Dashboard", run: presentation.end }]
      : [{ key: "f", label: "Present", group: "Dashboard", run: present }]),
    ...(dashboard.mine && !presentation.on
      ? [{ key: "e", label: "Edit", group: "Dashboard", run: () => go(filters, true) }]
      : []),
  ]);
  if (editing) return <Editor dashboard={dashboard} onDone={() => go(filters)} onSaved={() => go(filters)} />;
  return (
    <div className={presentation.on ? "dash-presented" : undefined}>
      <Page
        title={dashboard.name}
        aside={
          <>
            <LiveControl state={live.state} paused={live.paused} onPause={live.pause} />
            {presentation.on ? (
              <Button onClick={presentation.end}>Leave</Button>
            ) : (
              <>
                {dashboard.mine ? <Button onClick={() => go(filters, true)}>Edit</Button> : null}
                <BoardMenu dashboard={dashboard} onPresent={present} />
              </>
            )}
          </>
        }
      >
        {dashboard.description ? <p className="muted dash-about">{dashboard.description}</p> : null}
        <Filters filters={filters} shown={live.shown} onChange={go} />
        <BehindNote shown={live.shown} />
        {dashboard.tiles.length === 0 ? (
          <EmptyState
            title="No tiles yet"
            action={
              dashboard.mine ? (
                <Button type="primary" onClick={() => go(filters, true)}>
                  Add tiles
                </Button>
              ) : undefined
            }
          >
            A tile shows a metric or a saved query as a number, a chart or a table.
          </EmptyState>
        ) : (
          <Tiles dashboard={dashboard} live={live} filters={filters} />
        )}
        <NotesPanel dashboard={dashboard.id} mayWrite={may(permission.writeDashboards)} />
      </Page>
    </div>
  );
}

/** Says when metrics do not hold the newest records yet. */
function BehindNote({ shown }: { shown: Shown | undefined }) {
  const late = Object.values(shown ?? {}).find((one) => one.behind_since);
  return late?.behind_since && late.as_of ? <Behind since={late.behind_since} asOf={late.as_of} /> : null;
}

function Tiles({ dashboard, live, filters }: { dashboard: Dashboard; live: Live; filters: BoardFilters }) {
  const { message } = App.useApp();
  const navigate = useNavigate();
  const notes = useQuery(notesQuery(dashboard.id)).data ?? [];
  const [behind, setBehind] = useState<Tile | null>(null);
  const [taken, setTaken] = useState<Tile | null>(null);
  const [watched, setWatched] = useState<Tile | null>(null);
  const { may } = useSession();
  const acts = {
    onRefresh: (tile: Tile) =>
      void refreshTile(dashboard.id, tile.id)
        .then(live.retry)
        .catch((error: unknown) => message.error(reasonOf(error), 8)),
    onRows: (tile: Tile) => {
      if (tile.query) setBehind(tile);
      else void navigate(originOf(tile, filters));
    },
    onExport: setTaken,
    onWatch: may(permission.writeDashboards) ? setWatched : undefined,
    onHold: (tile: Tile) => live.hold(tile.id, !live.held[tile.id]),
  };
  return (
    <>
      <div className="dash-grid">
        {inOrder(dashboard.tiles).map((tile) => (
          <div key={tile.id} className="dash-cell" style={placeOf(tile)}>
            <TileFrame
              tile={tile}
              data={live.shown?.[tile.id]}
              error={live.error}
              notes={notes}
              narrowed={filterWords(filters)}
              held={live.held[tile.id] ?? false}
              onRetry={live.retry}
              acts={acts}
            />
          </div>
        ))}
      </div>
      {watched ? (
        <AlertDialog
          tile={watched}
          filters={filters}
          onClose={() => setWatched(null)}
          onSaved={() => void message.success("It is looked at every minute. The bell tells you.")}
        />
      ) : null}
      {behind ? <RowsDrawer dashboard={dashboard.id} tile={behind} onClose={() => setBehind(null)} /> : null}
      {taken ? (
        <ExportTileDialog
          dashboard={dashboard.id}
          tile={taken}
          filters={filters}
          onClose={() => setTaken(null)}
        />
      ) : null}
    </>
  );
}

/** The page that a metric comes from, narrowed down as the tile is. */
function originOf(tile: Tile, { span, values }: BoardFilters) {
  const search = { span: span ?? tile.metric?.span, ...values };
  return { to: tile.metric?.name.startsWith("orders_") ? paths.orders : paths.finance, search };
}
