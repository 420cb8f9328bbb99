import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Input, Select } from "antd";
import { useState } from "react";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../../shared/ui/states";
import { makeTeam, peopleQuery, setMembers, teamsQuery } from "./queries";

/** Teams work from one queue: whoever is in a team reaches what belongs to it. */
export function Teams() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { may } = useSession();
  const writes = may(permission.writeTeams);
  const teams = useQuery(teamsQuery);
  const people = useQuery(peopleQuery);
  const [name, setName] = useState("");
  const [nameless, setNameless] = useState(false);
  const make = async () => {
    setNameless(!name.trim());
    // The name of the next one may have been typed since.
    if (name.trim() && (await act(makeTeam(name)))) setName((now) => (now === name ? "" : now));
  };
  const act = async (work: Promise<unknown>) => {
    try {
      await work;
      await client.invalidateQueries({ queryKey: ["teams"] });
      return true;
    } catch (error) {
      message.error(reasonOf(error), 8);
      return false;
    }
  };
  const failed = teams.error ?? people.error;
  if (failed)
    return (
      <FailureState
        what="The teams"
        error={failed}
        onRetry={() => void Promise.all([teams.refetch(), people.refetch()])}
      />
    );
  if (!teams.data || !people.data) return <RowsSkeleton rows={4} height={72} label="Loading the teams" />;
  const options = people.data.map((person) => ({ value: person.id, label: person.name }));
  return (
    <section aria-label="Teams" className="people-teams">
      {writes ? (
        <div className="people-bar">
          <Input
            aria-label="Name of a new team"
            placeholder="Name of a new team"
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button onClick={() => void make()}>Make the team</Button>
        </div>
      ) : null}
      {nameless && !name.trim() ? (
        <p role="alert" className="problem">
          Give the team a name.
        </p>
      ) : null}
      {teams.data.length === 0 ? (
        <EmptyState title="There are no teams yet">
          A team works from one queue. Its members see each other's alerts, and those that nobody has taken.
        </EmptyState>
      ) : null}
      {teams.data.map((team) => (
        <Card key={team.id} size="small" title={team.name}>
          <Select
            mode="multiple"
            aria-label={`Members of ${team.name}`}
            className="people-members"
            placeholder="Nobody is in this team"
            optionFilterProp="label"
            disabled={!writes}
            value={team.members}
            options={options}
            onChange={(members: string[]) => void act(setMembers(team, members))}
          />
        </Card>
      ))}
    </section>
  );
}
