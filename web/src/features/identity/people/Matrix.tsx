import { useQuery } from "@tanstack/react-query";
import { Select, Table } from "antd";
import { useState } from "react";
import { actionWord } from "../../../shared/acts";
import { FORMS, roleText, SCOPES } from "../../../shared/grants";
import { PHONE, useMedia } from "../../../shared/media";
import { counted } from "../../../shared/numbers";
import { useSession } from "../../../shared/session";
import { NotYet } from "../../../shared/ui/states";
import { Tag } from "../../../shared/ui/tags";
import { type RoleColumn, rolesQuery } from "./queries";

interface Line {
  key: string;
  scopes: Record<string, string>;
}

/** The grants table itself: every permission by role, and what one role sees. Nobody is impersonated. */
export function Matrix() {
  const query = useQuery(rolesQuery);
  const { data } = query;
  const [chosen, setChosen] = useState<string>();
  const { me } = useSession();
  // A phone has no room for ten columns: it shows one role, one's own first.
  const phone = useMedia(PHONE);
  const viewed = chosen ?? (phone ? me.user.role : undefined);
  if (!data) return <NotYet query={query} what="The roles" rows={10} height={36} />;
  const shown = data.filter((column) => viewed === undefined || column.role === viewed);
  const names = [...new Set(shown.flatMap((column) => Object.keys(column.permissions)))].sort();
  const lines: Line[] = names.map((key) => ({
    key,
    scopes: Object.fromEntries(shown.map((column) => [column.role, column.permissions[key] ?? ""])),
  }));
  return (
    <section aria-label="Roles and permissions">
      <div className="people-bar">
        <label htmlFor="view-as">View as</label>
        <Select
          id="view-as"
          allowClear={!phone}
          placeholder="Every role"
          className="people-view"
          value={viewed}
          onChange={setChosen}
          options={data.map((column) => ({ value: column.role, label: roleText(column.role) }))}
        />
      </div>
      <p className="muted people-seen">
        {Object.entries(SCOPES)
          .map(([scope, words]) => `${scope}: ${words}`)
          .join("; ")}
        .
      </p>
      {shown.length === 1 && shown[0] ? <Seen column={shown[0]} /> : null}
      <Table<Line>
        size="small"
        dataSource={lines}
        pagination={false}
        scroll={{ x: shown.length > 1 ? 1120 : undefined }}
        columns={[
          {
            title: "Permission",
            dataIndex: "key",
            fixed: "left",
            width: phone ? 170 : 250,
            render: (key: string) => (
              <>
                {actionWord(key)} <code className="people-permission">{key}</code>
              </>
            ),
          },
          ...shown.map((column) => ({
            title: roleText(column.role),
            key: column.role,
            render: (_: unknown, line: Line) => <Scope scope={line.scopes[column.role] ?? ""} />,
          })),
        ]}
      />
    </section>
  );
}

function Scope({ scope }: { scope: string }) {
  if (!scope) return <span className="muted">–</span>;
  return <Tag word={scope} tone="plain" />;
}

function Seen({ column }: { column: RoleColumn }) {
  const forms = Object.entries(column.data_classes);
  return (
    <p className="people-seen">
      {/^[aeiou]/.test(column.role) ? "An" : "A"} {roleText(column.role)} has{" "}
      {counted(Object.keys(column.permissions).length, "permission")}, and sees{" "}
      {forms.map(([name, form]) => `${name} data ${FORMS[form] ?? form}`).join(", ")}.
    </p>
  );
}
