import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Popconfirm, Select } from "antd";
import { useState } from "react";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { When } from "../../shared/ui/values";
import { LoadDialog } from "./LoadDialog";
import {
  listsQuery,
  loadsQuery,
  makeList,
  type NewList,
  removeList,
  SCREENING,
  type ScreeningList,
  type View,
} from "./queries";
import { KINDS } from "./words";

/** The lists that are screened against, with their versions. */
export function ListPart({ view, go }: { view: View; go(view: View): void }) {
  const { may } = useSession();
  const client = useQueryClient();
  const query = useQuery(listsQuery);
  const [making, setMaking] = useState(false);
  const writes = may(permission.listScreening);
  const make = writes ? (
    <Button type="primary" onClick={() => setMaking(true)}>
      New list
    </Button>
  ) : null;
  const submit = async (fields: NewList) => {
    await makeList(fields);
    await client.invalidateQueries({ queryKey: [SCREENING, "lists"] });
    go({ ...view, list: fields.name });
  };
  return (
    <section className="part" aria-label="Lists">
      <div className="screening-queues">{query.data?.length ? make : null}</div>
      <NotYet query={query} what="The lists" rows={4} height={48} />
      {query.data?.length === 0 ? (
        <EmptyState title="There is no list to screen against" action={make}>
          Load the lists that OpenSanctions publishes, or one of your own, and customers and payees are held
          against it.
        </EmptyState>
      ) : null}
      {query.data?.map((one) => (
        <OneList
          key={one.name}
          list={one}
          writes={writes}
          open={view.list === one.name}
          onOpen={() => go({ ...view, list: view.list === one.name ? undefined : one.name })}
        />
      ))}
      {making ? (
        <FormDialog<NewList>
          title="New list"
          okText="Make"
          initialValues={{ kind: "sanctions", description: "" }}
          onSubmit={submit}
          onClose={() => setMaking(false)}
        >
          <Form.Item
            name="name"
            label="Name"
            rules={[
              { required: true, pattern: /^[a-z][a-z0-9_]{1,39}$/, message: "Small letters, digits and _." },
            ]}
          >
            <Input placeholder="un_security_council" maxLength={40} />
          </Form.Item>
          <Form.Item name="kind" label="What it holds">
            <Select options={Object.entries(KINDS).map(([value, label]) => ({ value, label }))} />
          </Form.Item>
          <Form.Item name="description" label="About it">
            <Input maxLength={500} />
          </Form.Item>
        </FormDialog>
      ) : null}
    </section>
  );
}

interface OneListProps {
  list: ScreeningList;
  writes: boolean;
  open: boolean;
  onOpen(): void;
}

function OneList({ list, writes, open, onOpen }: OneListProps) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [loading, setLoading] = useState(false);
  const remove = async () => {
    try {
      await removeList(list.name);
      await client.invalidateQueries({ queryKey: [SCREENING] });
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  return (
    <article className="screening-list" aria-label={list.name}>
      <div className="screening-list-head">
        <div>
          <strong>{list.name}</strong> <span className="muted">{KINDS[list.kind]}</span>
          <span className="muted screening-under">
            {list.version === 0 ? "no file yet" : `${count(list.entries)} entries, version ${list.version}`}
            {list.loaded_at ? (
              <>
                , loaded <When at={list.loaded_at} />
              </>
            ) : null}
            {list.screened ? "" : "; everybody is being held against it"}
          </span>
          {list.description ? <span className="screening-under">{list.description}</span> : null}
        </div>
        <div className="screening-acts">
          {list.version > 0 ? (
            <Button size="small" type="link" aria-expanded={open} onClick={onOpen}>
              Versions
            </Button>
          ) : null}
          {writes ? (
            <>
              <Button size="small" onClick={() => setLoading(true)}>
                Load a file …
              </Button>
              <Popconfirm
                title={`Delete the list ${list.name}?`}
                okText="Delete"
                onConfirm={() => void remove()}
              >
                <Button size="small" type="text" danger>
                  Delete
                </Button>
              </Popconfirm>
            </>
          ) : null}
        </div>
      </div>
      {open ? <Loads name={list.name} /> : null}
      {loading ? <LoadDialog list={list} onClose={() => setLoading(false)} /> : null}
    </article>
  );
}

function Loads({ name }: { name: string }) {
  const query = useQuery(loadsQuery(name));
  const { data } = query;
  if (!data) return <NotYet query={query} what="The versions" rows={2} height={32} />;
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">File</th>
            <th scope="col" className="right">
              Entries
            </th>
            <th scope="col" className="right">
              New
            </th>
            <th scope="col" className="right">
              Changed
            </th>
            <th scope="col" className="right">
              Gone
            </th>
            <th scope="col">Loaded</th>
          </tr>
        </thead>
        <tbody>
          {data.map((one) => (
            <tr key={one.version}>
              <th scope="row" className="num">
                {one.version}
              </th>
              <td>
                {one.file_name || "–"}
                <code className="muted screening-under" title={one.sha256}>
                  {one.sha256.slice(0, 16)}
                </code>
              </td>
              <td className="right num">{count(one.entries)}</td>
              <td className="right num">{count(one.added)}</td>
              <td className="right num">{count(one.changed)}</td>
              <td className="right num">{count(one.removed)}</td>
              <td>
                <When at={one.loaded_at} /> by {one.loaded_by || "somebody"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
