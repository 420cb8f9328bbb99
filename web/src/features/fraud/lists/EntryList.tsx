import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Popconfirm } from "antd";
import { useState } from "react";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { CSV_ONLY, FileDialog } from "../../../shared/ui/FileDialog";
import { ReasonDialog } from "../../../shared/ui/ReasonDialog";
import { NotYet, reasonOf } from "../../../shared/ui/states";
import { TableBox } from "../../../shared/ui/TableBox";
import { When } from "../../../shared/ui/values";
import { EntryDialog } from "./EntryDialog";
import { LoadDialog } from "./LoadDialog";
import {
  blocks,
  deleteList,
  type Entry,
  entriesQuery,
  exportEntries,
  type FirmList,
  lookUp,
  proposeRemoval,
  takeOff,
} from "./queries";

/** What is on a list, the newest first; one value can be looked for. */
export function EntryList({ list }: { list: FirmList }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const query = useInfiniteQuery(entriesQuery(list.name));
  const [found, setFound] = useState<{ value: string; entries: Entry[] } | null>(null);
  const [open, setOpen] = useState<"entry" | "file" | "export" | null>(null);
  const [freeing, setFreeing] = useState<Entry | "all" | null>(null);
  const writes = may(permission.writeLists);
  const renewed = () => client.invalidateQueries({ queryKey: ["lists"] });
  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      setFound(null);
      await renewed();
      message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  const look = async (value: string) => {
    if (value.trim() === "") {
      setFound(null);
      return;
    }
    try {
      setFound({ value, entries: await lookUp(list.name, value) });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  const entries = found?.entries ?? query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className="rules-bar">
        <Input.Search
          aria-label="Look for a whole value"
          placeholder={`The whole ${list.kind}`}
          allowClear
          onSearch={(value) => void look(value)}
        />
        {may(permission.exportLists) && query.data && list.entries > 0 ? (
          <Button onClick={() => setOpen("export")}>Export CSV …</Button>
        ) : null}
        {writes ? (
          <>
            <Button type="primary" onClick={() => setOpen("entry")}>
              Add …
            </Button>
            {list.effect === "allow" ? null : <Button onClick={() => setOpen("file")}>Add a file …</Button>}
            {blocks(list) && list.entries > 0 ? (
              <Button danger type="text" disabled={list.used_by.length > 0} onClick={() => setFreeing("all")}>
                Delete …
              </Button>
            ) : (
              <Popconfirm
                title={`Delete the list ${list.name}?`}
                okText="Delete"
                onConfirm={() => void act(() => deleteList(list.name), "The list is gone.")}
              >
                <Button danger type="text" disabled={list.used_by.length > 0}>
                  Delete
                </Button>
              </Popconfirm>
            )}
          </>
        ) : null}
      </div>
      <NotYet query={query} what="The entries" rows={5} height={36} />
      {query.data && entries.length === 0 ? (
        <p className="muted">{found ? "This value is not on the list." : "Nothing is on the list yet."}</p>
      ) : null}
      {entries.length > 0 ? (
        <TableBox>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Value</th>
                <th scope="col">Why</th>
                <th scope="col">Source</th>
                <th scope="col">Added</th>
                <th scope="col">Until</th>
                {writes ? <th scope="col" aria-label="Acts" /> : null}
              </tr>
            </thead>
            <tbody>
              {entries.map((one) => (
                <tr key={one.id}>
                  <th scope="row">
                    <code>{one.value ?? "hidden"}</code>
                  </th>
                  <td>{one.reason}</td>
                  <td>{one.source || "–"}</td>
                  <td>
                    <When at={one.added_at} /> by {one.added_by}
                  </td>
                  <td>{one.expires_at ? <When at={one.expires_at} /> : "no end"}</td>
                  {writes ? (
                    <td className="right">
                      <Button
                        size="small"
                        type="link"
                        onClick={() =>
                          blocks(list)
                            ? setFreeing(one)
                            : void act(() => takeOff(list.name, one.id), "It is off the list.")
                        }
                      >
                        {blocks(list) ? "Take off …" : "Take off"}
                      </Button>
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      ) : null}
      {!found && query.hasNextPage ? (
        <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
          Show more
        </Button>
      ) : null}
      {open === "entry" ? <EntryDialog list={list} onClose={() => setOpen(null)} onDone={renewed} /> : null}
      {open === "file" ? <LoadDialog list={list} onClose={() => setOpen(null)} onDone={renewed} /> : null}
      {freeing ? (
        <ReasonDialog
          title={freeing === "all" ? `Delete the list ${list.name}` : `Take an entry off ${list.name}`}
          text={
            freeing === "all"
              ? "It lets through what the list blocks, so somebody else has to approve it."
              : "It lets payments through, so somebody else has to approve it. Until then they are blocked."
          }
          okText="Propose it"
          onClose={() => setFreeing(null)}
          onReason={async (reason) => {
            await proposeRemoval(list.name, freeing === "all" ? [] : [freeing.id], reason);
            message.success("It is proposed. Somebody else approves it.");
          }}
        />
      ) : null}
      {open === "export" ? (
        <FileDialog
          title={`Export the list ${list.name}`}
          name={list.name}
          formats={CSV_ONLY}
          take={(_, reason) => exportEntries(list.name, reason)}
          onClose={() => setOpen(null)}
        >
          What is on the list, the newest first, as you see it. The export is written down in the audit trail.
        </FileDialog>
      ) : null}
    </>
  );
}
