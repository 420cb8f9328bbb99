import { App, Form, Input } from "antd";
import { saveFile } from "../../shared/csv";
import { EXPORT_WAITS } from "../../shared/ui/exportWaits";
import { FormDialog } from "../../shared/ui/FormDialog";
import { exportTile, type Tile } from "./queries";
import type { BoardFilters } from "./view";

interface ExportTileDialogProps {
  dashboard: string;
  tile: Tile;
  filters: BoardFilters;
  onClose(): void;
}

/** Asks for what is behind a tile as CSV; much waits for somebody else first. */
export function ExportTileDialog({ dashboard, tile, filters, onClose }: ExportTileDialogProps) {
  const { message } = App.useApp();
  return (
    <FormDialog<{ reason?: string }>
      title={`Export ${tile.title}`}
      okText="Export"
      width={480}
      initialValues={{}}
      onSubmit={async ({ reason }) => {
        const file = await exportTile(dashboard, tile.id, filters, reason ?? "");
        if (file === null) message.info(EXPORT_WAITS, 10);
        else saveFile(`${tile.title.replace(/[^\p{L}\p{N}]+/gu, "-") || "tile"}.csv`, file);
      }}
      onClose={onClose}
    >
      <p>
        {tile.query
          ? "The whole result goes into a CSV file, with what your role sees; filters of the page do not count."
          : "The numbers of this tile go into a CSV file, narrowed down as the page is."}
      </p>
      <Form.Item name="reason" label="Why (for whoever approves a large export)">
        <Input maxLength={1000} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
