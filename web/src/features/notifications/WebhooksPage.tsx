import { PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Copied } from "../../shared/ui/Copied";
import { Dialog } from "../../shared/ui/Dialog";
import { FormDialog } from "../../shared/ui/FormDialog";
import { Page } from "../../shared/ui/Page";
import { BlockSkeleton, EmptyState, FailureState, reasonOf } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { useFailure } from "../../shared/useFailure";
import { type Hook, hooksQuery } from "../../shared/webhooks";
import { addHook, type HookMade, removeHook, tryHook } from "./webhooks";

/** The addresses outside that alerts may go to, and whether what went there arrived. */
export function WebhooksPage() {
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const { may } = useSession();
  // What was sent for a trial arrives, or does not, within seconds.
  const query = useQuery({ ...hooksQuery, refetchInterval: 5_000 });
  const failure = useFailure(query, hooksQuery.queryKey);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<HookMade | null>(null);
  const reload = () => client.invalidateQueries({ queryKey: hooksQuery.queryKey });
  const run = (work: Promise<unknown>) =>
    work.catch((error: unknown) => void message.error(reasonOf(error), 8)).then(reload);
  const mayWrite = may(permission.writeHooks);
  const add = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
      New webhook
    </Button>
  );
  let body = <BlockSkeleton height={160} label="Loading the webhooks" />;
  if (failure) {
    body = <FailureState what="The webhooks" error={failure} onRetry={() => void query.refetch()} />;
  } else if (query.data?.length === 0) {
    body = (
      <EmptyState title="Nothing leaves by webhook" action={mayWrite ? add : undefined}>
        Alerts on metrics can go to a system outside, such as the one that pages whoever is on call: as signed
        JSON documents (Standard Webhooks). People choose a webhook in their alerts.
      </EmptyState>
    );
  } else if (query.data) {
    const remove = (hook: Hook) =>
      modal.confirm({
        title: `Take ${hook.name} away?`,
        content:
          "Nothing goes there any more. Alerts that use it tell their owners in the bell all the same.",
        okText: "Take away",
        okButtonProps: { danger: true },
        onOk: () => run(removeHook(hook.id)),
      });
    body = (
      <HookTable
        hooks={query.data}
        onTry={mayWrite ? (hook) => void run(tryHook(hook.id)) : undefined}
        onRemove={mayWrite ? remove : undefined}
      />
    );
  }
  return (
    <Page title="Webhooks" aside={mayWrite && query.data?.length ? add : null}>
      <section className="part" aria-label="Webhooks">
        {body}
      </section>
      {adding ? (
        <AddDialog
          onClose={() => setAdding(false)}
          onAdd={async (fields) => {
            setMade(await addHook(fields));
            await reload();
          }}
        />
      ) : null}
      {made ? <SecretOnce made={made} onClose={() => setMade(null)} /> : null}
    </Page>
  );
}

interface HookTableProps {
  hooks: readonly Hook[];
  onTry?(hook: Hook): void;
  onRemove?(hook: Hook): void;
}

function HookTable({ hooks, onTry, onRemove }: HookTableProps) {
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">At</th>
            <th scope="col">Last document</th>
            <th scope="col">Added</th>
            {onTry ? <th scope="col" aria-label="Actions" /> : null}
          </tr>
        </thead>
        <tbody>
          {hooks.map((hook) => (
            <tr key={hook.id}>
              <th scope="row">{hook.name}</th>
              <td>
                <code>{hook.host}</code>
              </td>
              <td>
                <LastCall hook={hook} />
              </td>
              <td>
                <When at={hook.created_at} />
              </td>
              {onTry ? (
                <td>
                  <Button size="small" aria-label={`Try ${hook.name}`} onClick={() => onTry(hook)}>
                    Try
                  </Button>{" "}
                  <Button
                    size="small"
                    type="text"
                    danger
                    aria-label={`Take ${hook.name} away`}
                    onClick={() => onRemove?.(hook)}
                  >
                    Take away
                  </Button>
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

const STATES = {
  waiting: { word: "On its way", tone: "review" },
  sent: { word: "Arrived", tone: "approve" },
  failed: { word: "Given up", tone: "block" },
};

function LastCall({ hook }: { hook: Hook }) {
  if (!hook.last) return <span className="muted">none yet</span>;
  return (
    <>
      <Tag {...STATES[hook.last.state]} /> <When at={hook.last.at} />
      {hook.last.problem ? <div className="muted">{hook.last.problem}</div> : null}
    </>
  );
}

interface NewHook {
  name: string;
  url: string;
}

function AddDialog({ onAdd, onClose }: { onAdd(fields: NewHook): Promise<void>; onClose(): void }) {
  return (
    <FormDialog<NewHook> title="New webhook" okText="Add" onSubmit={onAdd} onClose={onClose}>
      <p>
        People whose alerts use it send names and values of metrics there. Finer signs each document; the
        secret for it is shown once.
      </p>
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Give it a name." }]}
      >
        <Input maxLength={80} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="url"
        label="Address"
        extra="https, on port 443 or 8443. It is not shown again: it may hold a key."
        rules={[{ required: true, message: "Give an address." }]}
      >
        <Input maxLength={1000} autoComplete="off" placeholder="https://" />
      </Form.Item>
    </FormDialog>
  );
}

/** The secret of a new webhook, this once. It closes by its button only: a slip must not lose it. */
function SecretOnce({ made, onClose }: { made: HookMade; onClose(): void }) {
  return (
    <Dialog
      title={`Secret of ${made.hook.name}`}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      footer={
        <Button type="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <p>
        <strong>This is the only time that Finer shows it.</strong> The receiver checks with it that a
        document came from here and was not changed.
      </p>
      <Copied label="Secret" text={made.secret} />
    </Dialog>
  );
}
