import { useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useState } from "react";
import { newKey } from "../../api/keys";
import { isProblem } from "../../api/problem";
import { Overtaken } from "../../shared/ui/Overtaken";
import { Page } from "../../shared/ui/Page";
import { EmptyState, reasonOf } from "../../shared/ui/states";
import { useDraft } from "../../shared/useDraft";
import { EditGrid } from "./EditGrid";
import { bodyOf, type Dashboard, dashboardQuery, saveDashboard, type Tile } from "./queries";
import { TileDialog } from "./TileDialog";
import "./editor.css";

const SIZES: Record<Tile["kind"], { w: number; h: number }> = {
  number: { w: 3, h: 2 },
  line: { w: 6, h: 5 },
  bar: { w: 6, h: 5 },
  table: { w: 6, h: 6 },
};

/** What each tile is called, where it stands and how large it is. */
const saysOf = ({ tiles }: Dashboard) => ({
  Tiles: tiles
    .map(({ title, x, y, w, h }) => `${title}: column ${x + 1}, row ${y + 1}, ${w} × ${h}`)
    .join("\n"),
});

interface Fields {
  tiles: Tile[];
  /** The tile whose dialog is open. */
  edited: Tile | "new" | null;
}

interface EditorProps {
  dashboard: Dashboard;
  onDone(): void;
  onSaved(): void;
}

/** Lays a dashboard out; nothing counts before it is saved. */
export function Editor({ dashboard, onDone, onSaved }: EditorProps) {
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const editing = useDraft({
    newest: dashboard,
    fields: ({ tiles }): Fields => ({ tiles, edited: null }),
    version: ({ version }) => version,
  });
  const { dirty, held } = editing;
  const { tiles, edited } = editing.draft;
  const setTiles = (now: Tile[]) => editing.write({ tiles: now });
  const setEdited = (tile: Fields["edited"]) => editing.write({ edited: tile });
  const [busy, setBusy] = useState(false);
  const add = (fields: Omit<Tile, "id" | "x" | "y" | "w" | "h">) => {
    const y = Math.max(0, ...tiles.map((tile) => tile.y + tile.h));
    const id = newKey().replaceAll("-", "").slice(0, 12);
    setTiles([...tiles, { ...fields, id, x: 0, y, ...SIZES[fields.kind] }]);
  };
  const { queryKey } = dashboardQuery(held.id);
  const save = async () => {
    setBusy(true);
    try {
      const saved = await saveDashboard(bodyOf(held, { tiles }), held.id);
      const whole = editing.settle(editing.draft, saved);
      client.setQueryData(queryKey, saved);
      // What was changed meanwhile, or is being written in a tile, is laid out on, and saved by itself.
      if (whole) return onSaved();
    } catch (error) {
      if (isProblem(error, 409)) await client.invalidateQueries({ queryKey });
      const known = client.getQueryData(queryKey);
      // What was made of it elsewhere is shown beside what stands here, which says more than that it was.
      if (!known || known.version === held.version) message.error(reasonOf(error), 10);
    }
    setBusy(false);
  };
  const cancel = () => {
    if (!dirty) return onDone();
    modal.confirm({
      title: "Leave without saving?",
      content: "Your changes to the tiles are lost.",
      okText: "Leave",
      okButtonProps: { danger: true },
      cancelText: "Stay",
      onOk: onDone,
    });
  };
  return (
    <Page
      title={`Edit ${held.name}`}
      aside={
        <>
          <Button onClick={() => setEdited("new")}>Add a tile</Button>
          <Button onClick={cancel}>Cancel</Button>
          <Button type="primary" loading={busy} disabled={!dirty} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      <Overtaken editing={editing} what="dashboard" says={saysOf} />
      <p id="dash-keys" className="muted dash-about">
        Drag a tile by its head and resize it at its corner; or go to it with Tab, move it with the arrow keys
        and resize it with Shift and the arrow keys.
      </p>
      {tiles.length === 0 ? (
        <EmptyState
          title="No tiles yet"
          action={
            <Button type="primary" onClick={() => setEdited("new")}>
              Add a tile
            </Button>
          }
        >
          A tile shows a metric or a saved query as a number, a chart or a table.
        </EmptyState>
      ) : (
        <EditGrid tiles={tiles} onTiles={setTiles} onEdit={setEdited} onCopy={add} />
      )}
      {edited !== null ? (
        <TileDialog
          tile={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onTile={(fields) => {
            if (edited === "new") add(fields);
            else setTiles(tiles.map((tile) => (tile.id === edited.id ? { ...tile, ...fields } : tile)));
          }}
        />
      ) : null}
    </Page>
  );
}
