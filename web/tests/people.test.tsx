import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { Server } from "./support/server";

const proposal: Schema<"ProposalView"> = {
  id: "pro_1",
  kind: "people:role",
  title: "Change somebody's role",
  state: "waiting",
  payload: { user: "usr_9", role: "auditor" },
  sha256: "ab".repeat(32),
  reason: "Moves to the audit team.",
  by: { id: "usr_8", name: "Bo Lim" },
  made_at: NOW,
  expires_at: NOW,
  decided_at: null,
  changes: [{ what: "Role of Cy Tan", before: "risk analyst", after: "auditor" }],
  approvals: [],
  approvals_needed: 1,
  approvers: [{ id: "usr_7", name: "Di Go" }],
  mine: false,
  decidable: true,
};

const person: Schema<"UserView"> = {
  id: "usr_9",
  name: "Cy Tan",
  email: "c***@acme.example",
  role: "risk_analyst",
  disabled_at: null,
};

let server: Server;

beforeEach(() => {
  server = new Server();
  const permissions: Schema<"Me">["permissions"] = [
    "users:read",
    "users:write",
    "proposals:read",
    "teams:write",
  ];
  server.me = { ...me, permissions };
  server.on("GET /api/v1/users", () => [200, [person]]);
  server.on("GET /api/v1/proposals", () => [200, [proposal]]);
});

describe("people and approvals", () => {
  it("proposes a role with its reason", async () => {
    server.on("PUT /api/v1/users/usr_9/role", () => [200, { user: person, proposal: "pro_1" }]);
    const { user } = openApp("/people");
    await user.click(await screen.findByRole("button", { name: "Change role" }));
    expect(await screen.findByText(/Change the role of Cy Tan/)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Propose" }));
    await screen.findByText("Choose another role.");
    await screen.findByText("Say why: the audit trail keeps it.");
    expect(server.sent("PUT /api/v1/users/usr_9/role")).toEqual([]);
  });

  it("finds people by role, and shows fifty at once", async () => {
    const many = Array.from({ length: 60 }, (_, at) => ({
      ...person,
      id: `usr_${at}`,
      name: `Person ${at}`,
    }));
    server.on("GET /api/v1/users", () => [200, [...many, { ...person, name: "Di Go", role: "auditor" }]]);
    const { user } = openApp("/people");
    await screen.findByRole("rowheader", { name: "Person 49" });
    expect(screen.getAllByRole("rowheader")).toHaveLength(50);
    await user.click(screen.getByText("2", { exact: true }));
    expect(screen.getByRole("rowheader", { name: "Di Go" })).toBeTruthy();
    await user.type(screen.getByLabelText("Find a person"), "auditor");
    expect(screen.getAllByRole("rowheader").map((head) => head.textContent)).toEqual(["Di Go"]);
    await user.type(screen.getByLabelText("Find a person"), "s and more");
    expect(await screen.findByText("Nobody is found")).toBeTruthy();
  });

  it("shows a phone one role, one's own first", async () => {
    const every: Schema<"RoleView">[] = (["administrator", "risk_analyst"] as const).map((role) => ({
      role,
      permissions: { [role === "administrator" ? "users:write" : "alerts:resolve"]: "tenant" },
      data_classes: {},
    }));
    server.on("GET /api/v1/roles", () => [200, every]);
    const wide = window.matchMedia;
    vi.stubGlobal("matchMedia", (query: string) => ({
      ...wide(query),
      matches: query.includes("max-width"),
    }));
    openApp("/people?part=roles");
    await screen.findByText("alerts:resolve");
    expect(screen.queryByText("users:write")).toBeNull();
    screen.getByText(/^A risk analyst has 1 permission,/);
  });

  it("keeps the name of the next team, typed while one is being made", async () => {
    server.on("GET /api/v1/teams", () => [200, []]);
    const { user } = openApp("/people?part=teams");
    const name = await screen.findByLabelText<HTMLInputElement>("Name of a new team");
    await user.type(name, "Cards");
    const made = (team: string) => [201, { id: "team_1", name: team, members: [] }] as [number, unknown];
    const go = server.hold("POST /api/v1/teams", () => made("Cards"));
    await user.click(screen.getByRole("button", { name: "Make the team" }));
    await waitFor(() => expect(server.sent("POST /api/v1/teams")).toHaveLength(1));
    await user.clear(name);
    await user.type(name, "Loans");
    server.on("GET /api/v1/teams", () => [200, [made("Cards")[1]]]);
    go();
    await screen.findByText("Cards");
    expect(name.value).toBe("Loans");
    server.on("POST /api/v1/teams", () => made("Loans"));
    await user.click(screen.getByRole("button", { name: "Make the team" }));
    await waitFor(() => expect(name.value).toBe(""));
  });

  it("approves exactly the payload that was seen", async () => {
    server.on("POST /api/v1/proposals/pro_1/approval", () => [200, { ...proposal, state: "executed" }]);
    const { user } = openApp("/approvals");
    await user.click(await screen.findByRole("button", { name: "Approve" }));
    await screen.findByText(/^Say why/);
    expect(document.activeElement).toBe(screen.getByLabelText("Why"));
    await user.keyboard("Agreed with both");
    await user.click(screen.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(server.sent("POST /api/v1/proposals/pro_1/approval")).toHaveLength(1));
    const [sent] = server.sent("POST /api/v1/proposals/pro_1/approval");
    expect(await sent?.json()).toEqual({ sha256: "ab".repeat(32), reason: "Agreed with both" });
  });

  it("says what the page is for when nothing waits", async () => {
    server.on("GET /api/v1/proposals", () => [200, []]);
    openApp("/approvals");
    expect(await screen.findByText("Nothing waits for approval")).toBeTruthy();
  });
});
