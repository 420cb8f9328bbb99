import { UserAddOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Table } from "antd";
import { useState } from "react";
import { roleText } from "../../../shared/grants";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../../shared/ui/states";
import { Tag } from "../../../shared/ui/tags";
import { InviteDialog } from "./InviteDialog";
import { PersonDialog } from "./PersonDialog";
import { disable, type Person, peopleQuery } from "./queries";

/** Everybody who can sign in, with what an administrator can do about it. */
export function PeopleTable() {
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const { may, me } = useSession();
  const { data, error, refetch } = useQuery(peopleQuery);
  const [text, setText] = useState("");
  const [inviting, setInviting] = useState(false);
  const [changing, setChanging] = useState<{ person: Person; act: "role" | "enable" } | null>(null);
  const writes = may(permission.writeUsers);
  const refresh = () =>
    void Promise.all([
      client.invalidateQueries({ queryKey: ["people"] }),
      client.invalidateQueries({ queryKey: ["proposals"] }),
    ]);
  const ask = (person: Person) =>
    modal.confirm({
      title: `Disable ${person.name}?`,
      content: "They are signed out everywhere within a second. Somebody can enable them again.",
      okText: "Disable",
      okButtonProps: { danger: true },
      onOk: () =>
        disable(person).then(refresh, (problem: unknown) => {
          message.error(reasonOf(problem), 8);
        }),
    });
  if (error) return <FailureState what="The people" error={error} onRetry={() => void refetch()} />;
  if (!data) return <RowsSkeleton rows={8} height={48} label="Loading the people" />;
  const wanted = text.trim().toLowerCase();
  const found = data.filter((person) =>
    [person.name, person.email ?? "", roleText(person.role)].some((each) =>
      each.toLowerCase().includes(wanted),
    ),
  );
  return (
    <section aria-label="People">
      <div className="people-bar">
        <Input.Search
          aria-label="Find a person"
          placeholder="Name, address or role"
          allowClear
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {writes ? (
          <Button type="primary" icon={<UserAddOutlined aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        ) : null}
      </div>
      <Table<Person>
        rowKey="id"
        size="small"
        dataSource={found}
        pagination={found.length > 50 ? { pageSize: 50 } : false}
        scroll={{ x: 640 }}
        locale={{
          emptyText: (
            <EmptyState
              title="Nobody is found"
              action={<Button onClick={() => setText("")}>Show all</Button>}
            >
              People of the firm are listed here by name and role.
            </EmptyState>
          ),
        }}
        columns={[
          { title: "Name", dataIndex: "name" },
          { title: "Address", dataIndex: "email", render: (email: string | null) => email ?? "–" },
          { title: "Role", dataIndex: "role", render: roleText },
          {
            title: "State",
            dataIndex: "disabled_at",
            render: (at: string | null) =>
              at ? <Tag word="Disabled" tone="plain" /> : <Tag word="Active" tone="approve" />,
          },
          {
            title: "",
            key: "acts",
            align: "right",
            render: (_, person) =>
              writes && person.id !== me.user.id ? (
                <span className="people-acts">
                  <Button size="small" onClick={() => setChanging({ person, act: "role" })}>
                    Change role
                  </Button>
                  {person.disabled_at ? (
                    <Button size="small" onClick={() => setChanging({ person, act: "enable" })}>
                      Enable
                    </Button>
                  ) : (
                    <Button size="small" danger onClick={() => ask(person)}>
                      Disable
                    </Button>
                  )}
                </span>
              ) : null,
          },
        ]}
      />
      {inviting ? <InviteDialog onClose={() => setInviting(false)} onDone={refresh} /> : null}
      {changing ? <PersonDialog {...changing} onClose={() => setChanging(null)} onDone={refresh} /> : null}
    </section>
  );
}
