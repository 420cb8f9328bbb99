import { useNavigate, useSearch } from "@tanstack/react-router";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { Page } from "../../../shared/ui/Page";
import { Parts } from "../../../shared/ui/Parts";
import { WhyVisible } from "../../../shared/ui/WhyVisible";
import { Matrix } from "./Matrix";
import { PeopleTable } from "./PeopleTable";
import { Teams } from "./Teams";
import "./people.css";

const PARTS = [
  { name: "people", title: "People" },
  { name: "teams", title: "Teams" },
  { name: "roles", title: "Roles and permissions" },
] as const;

/** Who works at the firm, in which teams, and what each role may do. */
export function PeoplePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const part = PARTS.find(({ name }) => name === search.part)?.name ?? "people";
  return (
    <Page
      title="People and roles"
      aside={<WhyVisible needs={permission.readUsers} what="the people of the firm" />}
    >
      <Parts
        label="Parts of the page"
        parts={PARTS}
        shown={part}
        onShow={(next) => void navigate({ to: paths.people, search: { part: next }, replace: true })}
      >
        {part === "people" ? <PeopleTable /> : null}
        {part === "teams" ? <Teams /> : null}
        {part === "roles" ? <Matrix /> : null}
      </Parts>
    </Page>
  );
}
