import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type Person = Schema<"UserView">;
export type Team = Schema<"TeamView">;
export type RoleColumn = Schema<"RoleView">;
export type Proposal = Schema<"ProposalView">;
export type Role = Person["role"];

export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: ({ signal }): Promise<Person[]> => answer(api.GET("/api/v1/users", { signal })),
});

export const teamsQuery = queryOptions({
  queryKey: ["teams"],
  queryFn: ({ signal }): Promise<Team[]> => answer(api.GET("/api/v1/teams", { signal })),
});

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }): Promise<RoleColumn[]> => answer(api.GET("/api/v1/roles", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const proposalsQuery = queryOptions({
  queryKey: ["proposals"],
  queryFn: ({ signal }): Promise<Proposal[]> => answer(api.GET("/api/v1/proposals", { signal })),
  refetchInterval: 60_000,
});

export function invite(body: Schema<"InvitationBody">): Promise<Schema<"Invitation">> {
  return answer(api.POST("/api/v1/users", { body }));
}

export function inviteAgain(person: Person): Promise<Schema<"Invitation">> {
  return answer(api.POST("/api/v1/users/{user_id}/invitation", { params: { path: { user_id: person.id } } }));
}

export function changeRole(person: Person, role: Role, reason: string): Promise<Schema<"UserChange">> {
  const params = { path: { user_id: person.id } };
  return answer(api.PUT("/api/v1/users/{user_id}/role", { params, body: { role, reason } }));
}

export function disable(person: Person): Promise<Person> {
  return answer(api.POST("/api/v1/users/{user_id}/disabling", { params: { path: { user_id: person.id } } }));
}

export function enable(person: Person, reason: string): Promise<Schema<"UserChange">> {
  const params = { path: { user_id: person.id } };
  return answer(api.POST("/api/v1/users/{user_id}/enabling", { params, body: { reason } }));
}

export function makeTeam(name: string): Promise<Team> {
  return answer(api.POST("/api/v1/teams", { body: { name } }));
}

export function setMembers(team: Team, members: string[]): Promise<Team> {
  const params = { path: { team_id: team.id } };
  return answer(api.PUT("/api/v1/teams/{team_id}/members", { params, body: { members } }));
}

export type Act = "approval" | "rejection" | "withdrawal";

export function decide(proposal: Proposal, act: Act, reason: string): Promise<Proposal> {
  const params = { path: { proposal_id: proposal.id } };
  if (act === "withdrawal") return answer(api.POST("/api/v1/proposals/{proposal_id}/withdrawal", { params }));
  const body = { sha256: proposal.sha256, reason };
  if (act === "approval")
    return answer(api.POST("/api/v1/proposals/{proposal_id}/approval", { params, body }));
  return answer(api.POST("/api/v1/proposals/{proposal_id}/rejection", { params, body }));
}
