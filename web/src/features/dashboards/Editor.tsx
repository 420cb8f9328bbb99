import { useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useRef, useState } from "react";
import { newKey } from "../../api/keys";
import { Page } from "../../shared/ui/Page";
import { EmptyState, reasonOf } from "../../shared/ui/states";
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

interface EditorProps {
  dashboard: Dashboard;
  onDone(): void;
  onSaved(): void;
}

/** Lays a dashboard out; nothing counts before it is saved. */
export function Editor({ dashboard, onDone, onSaved }: EditorProps) {
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const [begun, setBegun] = useState(dashboard);
  const [tiles, setTiles] = useState<Tile[]>(dashboard.tiles);
  const [edited, setEdited] = useState<Tile | "new" | null>(null);
  const latest = useRef({ tiles, edited });
  latest.current = { tiles, edited };
  const [busy, setBusy] = useState(false);
  const changed = JSON.stringify(tiles) !== JSON.stringify(begun.tiles);
  const add = (fields: Omit<Tile, "id" | "x" | "y" | "w" | "h">) => {
    const y = Math.max(0, ...tiles.map((tile) => tile.y + tile.h));
    const id = newKey().replaceAll("-", "").slice(0, 12);
    setTiles([...tiles, { ...fields, id, x: 0, y, ...SIZES[fields.kind] }]);
  };
  const save = async () => {
    setBusy(true);
    try {
      const saved = await saveDashboard(bodyOf(begun, { tiles }), begun.id);
      client.setQueryData(dashboardQuery(begun.id).queryKey, saved);
      if (latest.current.tiles === tiles && latest.current.edited === null) return onSaved();
      // What was changed meanwhile, or is being written in a tile, is laid out on, and saved by itself.
      setBegun(saved);
      setBusy(false);
    } catch (error) {
      message.error(reasonOf(error), 10);
      setBusy(false);
    }
  };
  const cancel = () => {
    if (!changed) return onDone();
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
      title={`Edit ${begun.name}`}
      aside={
        <>
          <Button onClick={() => setEdited("new")}>Add a tile</Button>
          <Button onClick={cancel}>Cancel</Button>
          <Button type="primary" loading={busy} disabled={!changed} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
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
