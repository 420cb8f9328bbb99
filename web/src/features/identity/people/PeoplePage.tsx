import { useNavigate, useSearch } from "@tanstack/react-router";
import { Tabs } from "antd";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { Page } from "../../../shared/ui/Page";
import { WhyVisible } from "../../../shared/ui/WhyVisible";
import { Matrix } from "./Matrix";
import { PeopleTable } from "./PeopleTable";
import { Teams } from "./Teams";
import "./people.css";

const PARTS = ["people", "teams", "roles"];

/** Who works at the firm, in which teams, and what each role may do. */
export function PeoplePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const part = PARTS.find((name) => name === search.part) ?? "people";
  return (
    <Page
      title="People and roles"
      aside={<WhyVisible needs={permission.readUsers} what="the people of the firm" />}
    >
      <Tabs
        activeKey={part}
        onChange={(next) => void navigate({ to: paths.people, search: { part: next }, replace: true })}
        items={[
          { key: "people", label: "People", children: <PeopleTable /> },
          { key: "teams", label: "Teams", children: <Teams /> },
          { key: "roles", label: "Roles and permissions", children: <Matrix /> },
        ]}
      />
    </Page>
  );
}
