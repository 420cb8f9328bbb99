import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Schema } from "../src/api/client";
import { actionWord } from "../src/shared/acts";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const entry: Schema<"AuditEntry"> = {
  id: "aud_1",
  sequence: 12_345,
  hash: "ab".repeat(32),
  at: NOW,
  actor_kind: "user",
  actor_id: "usr_7",
  actor_name: "Ana Cruz",
  actor_role: "risk_analyst",
  action: "users:role",
  subject: "usr_9",
  outcome: "denied",
  origin: "203.0.113.9",
  user_agent: "Firefox",
  session: "ses_1",
  request: "req_1",
  detail: { from: "auditor", to: "administrator", count: 7 },
};
const run: Schema<"AuditVerification"> = {
  id: "ver_1",
  asked_by: "Mei Tan",
  asked_at: NOW,
  finished_at: NOW,
  first_sequence: 0,
  last_sequence: 12_345,
  checked: 12_345,
  findings: [],
};
const status: Schema<"AuditStatus"> = {
  sequence: 12_346,
  waiting: 1,
  head: { sequence: 12_300, hash: "cd".repeat(32), signed_at: NOW, key_id: "4fce4fa6f7263eeb" },
  verification: run,
  verified: run,
};
const alert: Schema<"SecurityAlert"> = {
  id: "sal_1",
  rule: "probing",
  title: "Probing for what is not there",
  severity: "medium",
  subject: "usr_7",
  subject_name: "Ana Cruz",
  state: "open",
  reasons: ["Asked 45 times within 10 minutes for things that are not there."],
  first_at: NOW,
  last_at: NOW,
  hits: 3,
  assignee: null,
  note: "",
  changed_by: "",
  changed_at: null,
  version: 4,
};

let server: Server;

beforeEach(() => {
  server = new Server();
  const permissions: Schema<"Me">["permissions"] = [
    "audit:read",
    "audit:verify",
    "audit:export",
    "security_alerts:read",
    "security_alerts:resolve",
  ];
  server.me = { ...me, permissions };
  server.on("GET /api/v1/audit", () => [200, { items: [entry], next: null }]);
  server.on("GET /api/v1/audit/actions", () => [200, { items: ["users:role"] }]);
  server.on("GET /api/v1/audit/status", () => [200, status]);
  server.on("GET /api/v1/security-alerts", () => [200, { items: [alert], next: null, counts: { open: 1 } }]);
  server.on("GET /api/v1/security-alerts/sal_1", () => [200, { alert, timeline: [entry] }]);
});

describe("an act", () => {
  it("is told in words", () => {
    expect(["session:begin", "lists:take_off", "things:put_by", "upkeep"].map(actionWord)).toEqual([
      "Sign in",
      "Take something off a list",
      "Things: put by",
      "Upkeep",
    ]);
  });
});

describe("the audit page", () => {
  it("names the day of what was verified and signed before today", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-22T06:00:00Z") });
    openApp("/audit");
    expect((await screen.findByText(/Verified up to/)).textContent).toContain("as of 20 Nov 14:00");
  });

  it("says how far the chain is verified and signed", async () => {
    openApp("/audit");
    expect((await screen.findByText(/Verified up to #12,345/)).textContent).toContain("nothing was changed");
    expect(screen.getByText(/Head #12,300 signed/).textContent).toContain("1 waiting for a seal");
  });

  it("names what is wrong with a broken chain", async () => {
    const says = "The entry aud_5 at sequence 5 was altered, or one before it was taken out.";
    const broken = { ...run, findings: [{ kind: "altered", says, sequence: 5, entry: "aud_5" }] };
    server.on("GET /api/v1/audit/status", () => [200, { ...status, verified: broken }]);
    openApp("/audit");
    expect((await screen.findByRole("alert")).textContent).toContain(says);
  });

  it("holds its filter in the address and asks the server for it", async () => {
    const { user, address } = openApp("/audit?outcome=denied");
    await screen.findByRole("grid", { name: "Audit entries" });
    await user.type(screen.getByRole("textbox", { name: /Person or machine/ }), "Ana Cruz{Enter}");
    await waitFor(() => expect(address()).toContain("actor=Ana"));
    await waitFor(() =>
      expect(server.sent("GET /api/v1/audit").at(-1)?.url).toMatch(/actor=Ana(%20|\+)Cruz&.*outcome=denied/),
    );
  });

  it("opens an entry with what changed", async () => {
    const { user } = openApp("/audit");
    const grid = await screen.findByRole("grid", { name: "Audit entries" });
    const [, row] = within(grid).getAllByRole("row");
    expect(row?.textContent).toContain("Denied ×7");
    await user.click(row as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("auditor → administrator");
    expect(dialog.textContent).toContain("12,345");
  });

  it("starts a verification and says why one could not be started", async () => {
    server.on("POST /api/v1/audit/verifications", () => problem(503, "The database does not answer."));
    const { user } = openApp("/audit");
    await user.click(await screen.findByRole("button", { name: "Verify now" }));
    expect(await screen.findByText("The database does not answer.")).toBeTruthy();
  });

  it("tries a failed list again alone", async () => {
    server.on("GET /api/v1/audit", () => problem(500, "The trail cannot be read."));
    const { user } = openApp("/audit");
    await screen.findByText("The trail cannot be read.");
    server.on("GET /api/v1/audit", () => [200, { items: [entry], next: null }]);
    await user.click(screen.getByRole("button", { name: /Try again/ }));
    await screen.findByRole("grid", { name: "Audit entries" });
  });
});

describe("the access alerts", () => {
  it("shows why, and what happened", async () => {
    const { user, address } = openApp("/security");
    const grid = await screen.findByRole("grid", { name: "Access alerts" });
    await user.click(within(grid).getAllByRole("row")[1] as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    await within(dialog).findByText(/Asked 45 times/);
    expect(dialog.textContent).toContain("203.0.113.9");
    expect(address()).toContain("alert=sal_1");
  });

  it("closes an alert only with a note", async () => {
    server.on("POST /api/v1/security-alerts/sal_1/state", () => [
      200,
      {
        ...alert,
        state: "closed",
        note: "It was a test.",
        changed_by: "Mei Tan",
        changed_at: NOW,
        version: 5,
      },
    ]);
    const { user } = openApp("/security?alert=sal_1");
    await screen.findByRole("button", { name: "Disable the person" });
    await user.click(ownClose());
    const button = await screen.findByRole("button", { name: "Close it" });
    await user.click(button);
    await screen.findByText("Say why: the audit trail keeps it.");
    await user.type(screen.getByLabelText("Why it can be closed"), "It was a test.");
    await user.click(button);
    await screen.findByText(/It was a test\./);
    const [sent] = server.sent("POST /api/v1/security-alerts/sal_1/state");
    expect(await sent?.json()).toEqual({ state: "closed", note: "It was a test.", version: 4 });
  });

  it("asks before it disables a person, and says why it could not", async () => {
    server.on("POST /api/v1/security-alerts/sal_1/containment", () =>
      problem(403, "This act asks again who you are."),
    );
    const { user } = openApp("/security?alert=sal_1");
    await user.click(await screen.findByRole("button", { name: "Disable the person" }));
    await screen.findByText(/cannot sign in any more/);
    const buttons = screen.getAllByRole("button", { name: "Disable the person" });
    await user.click(buttons.at(-1) as HTMLElement);
    expect(await screen.findByText("This act asks again who you are.")).toBeTruthy();
  });

  it("leaves the acts out for an auditor", async () => {
    server.me = { ...me, permissions: ["security_alerts:read"] };
    openApp("/security?alert=sal_1");
    await screen.findByText(/Asked 45 times/, { selector: "li" });
    expect(screen.queryByRole("button", { name: "Take it on" })).toBeNull();
  });
});

/** The drawer has a button of the same name to leave it. */
function ownClose(): HTMLElement {
  return screen
    .getAllByRole("button", { name: "Close" })
    .find((each) => each.textContent === "Close") as HTMLElement;
}
