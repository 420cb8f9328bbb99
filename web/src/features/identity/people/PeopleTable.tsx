import { UserAddOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Pagination } from "antd";
import { useState } from "react";
import { roleText } from "../../../shared/grants";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { EmptyState, NotYet, reasonOf } from "../../../shared/ui/states";
import { TableBox } from "../../../shared/ui/TableBox";
import { Tag } from "../../../shared/ui/tags";
import { InviteDialog } from "./InviteDialog";
import { PersonDialog } from "./PersonDialog";
import { disable, type Person, peopleQuery } from "./queries";

const PAGE = 50;

/** Everybody who can sign in, with what an administrator can do about it. */
export function PeopleTable() {
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const { may, me } = useSession();
  const query = useQuery(peopleQuery);
  const { data } = query;
  const [text, setText] = useState("");
  const [page, setPage] = useState(1);
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
  if (!data) return <NotYet query={query} what="The people" rows={8} height={48} />;
  const wanted = text.trim().toLowerCase();
  const found = data.filter((person) =>
    [person.name, person.email ?? "", roleText(person.role)].some((each) =>
      each.toLowerCase().includes(wanted),
    ),
  );
  const shown = Math.min(page, Math.max(1, Math.ceil(found.length / PAGE)));
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
      {found.length === 0 ? (
        <EmptyState title="Nobody is found" action={<Button onClick={() => setText("")}>Show all</Button>}>
          People of the firm are listed here by name and role.
        </EmptyState>
      ) : (
        <TableBox className="people-box">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Address</th>
                <th scope="col">Role</th>
                <th scope="col">State</th>
                {writes ? <th scope="col" aria-label="Actions" /> : null}
              </tr>
            </thead>
            <tbody>
              {found.slice((shown - 1) * PAGE, shown * PAGE).map((person) => (
                <tr key={person.id}>
                  <th scope="row">{person.name}</th>
                  <td>{person.email ?? "–"}</td>
                  <td>{roleText(person.role)}</td>
                  <td>
                    {person.disabled_at ? (
                      <Tag word="Disabled" tone="plain" />
                    ) : (
                      <Tag word="Active" tone="approve" />
                    )}
                  </td>
                  {writes ? (
                    <td className="right">
                      {person.id !== me.user.id ? (
                        <Acts
                          person={person}
                          onChange={(act) => setChanging({ person, act })}
                          onDisable={() => ask(person)}
                        />
                      ) : null}
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
      <Pagination
        className="people-pages"
        align="end"
        current={shown}
        pageSize={PAGE}
        total={found.length}
        onChange={setPage}
        showSizeChanger={false}
        hideOnSinglePage
      />
      {inviting ? <InviteDialog onClose={() => setInviting(false)} onDone={refresh} /> : null}
      {changing ? <PersonDialog {...changing} onClose={() => setChanging(null)} onDone={refresh} /> : null}
    </section>
  );
}

interface ActsProps {
  person: Person;
  onChange(act: "role" | "enable"): void;
  onDisable(): void;
}

function Acts({ person, onChange, onDisable }: ActsProps) {
  return (
    <span className="people-acts">
      <Button size="small" onClick={() => onChange("role")}>
        Change role
      </Button>
      {person.disabled_at ? (
        <Button size="small" onClick={() => onChange("enable")}>
          Enable
        </Button>
      ) : (
        <Button size="small" danger onClick={onDisable}>
          Disable
        </Button>
      )}
    </span>
  );
}
