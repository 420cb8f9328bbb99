import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const MONITOR = "mon_00000000000000000000000000000001";
const INCIDENT = "inc_00000000000000000000000000000001";

const incident: Schema<"IncidentView"> = {
  id: INCIDENT,
  contract: "order",
  state: "open",
  severity: "warning",
  sentence: "31 % of the records of order come without country, since 10:00; 1 % is usual.",
  since: NOW,
  opened_at: NOW,
  last_at: NOW,
  closed_at: null,
  parts: [
    {
      monitor: MONITOR,
      kind: "completeness",
      field: "country",
      value: 0.31,
      worst: 0.4,
      low: null,
      high: 0.02,
      since: NOW,
      detail: "",
      settled: false,
      sentence: "31 % come without country.",
    },
  ],
  failing: { kind: "event", records: 120, ids: ["evt-1", "evt-2"] },
  note: "",
  changed_by: "",
  changed_at: null,
  version: 1,
};

const score: Schema<"ContractScore"> = {
  contract: "order",
  score: 0.982,
  received: 1_000,
  passed: 982,
  window: "24 h",
  open_incidents: 1,
  scores: [
    { hours: 1, received: 100, passed: 97, score: 0.97 },
    { hours: 24, received: 1_000, passed: 982, score: 0.982 },
    { hours: 720, received: 9_000, passed: 8_990, score: 0.999 },
  ],
  history: [{ at: NOW, received: 100, passed: 97 }],
  records_per_s: 12,
  last_record_at: NOW,
  monitors_by_state: { usual: 5, unusual: 1 },
};

const monitor: Schema<"MonitorDetail"> = {
  id: MONITOR,
  contract: "order",
  kind: "completeness",
  field: "country",
  state: "unusual",
  enabled: true,
  sensitivity: "normal",
  muted_until: null,
  version: 3,
  at: NOW,
  value: 0.31,
  low: null,
  high: 0.02,
  as_of: NOW,
  observations: 30,
  needed: 30,
  basis: "",
  learned_at: NOW,
  history: [],
  incidents: [],
};

beforeEach(() => {
  server = new Server();
  server.me = {
    ...me,
    permissions: ["quality:read", "quality:manage", "contracts:read", "quarantine:read", "receipts:read"],
  };
  server.on("GET /api/v1/quality", () => [200, { as_of: NOW, contracts: [score], incidents: [incident] }]);
  server.on("GET /api/v1/quality/incidents", () => [200, { items: [], next: null, as_of: NOW }]);
  server.on(`GET /api/v1/quality/incidents/${INCIDENT}`, () => [200, incident]);
  server.on(`GET /api/v1/quality/monitors/${MONITOR}`, () => [200, monitor]);
  server.on("GET /api/v1/quality/contracts/order", () => [
    200,
    { ...score, as_of: NOW, monitors: [monitor], incidents: [incident] },
  ]);
});

describe("the quality page", () => {
  it.each([
    [{}, "Nothing is watched yet"],
    [{ learning: 17 }, "Nothing is judged yet"],
    [{ learning: 1, usual: 5 }, "Everything is as usual"],
    [{ unusual: 1, usual: 5 }, "Something may be unusual"],
  ])("calls as usual only what was judged: %o", async (monitors_by_state, title) => {
    const quality = { as_of: NOW, contracts: [{ ...score, monitors_by_state }], incidents: [] };
    server.on("GET /api/v1/quality", () => [200, quality]);
    openApp("/quality");
    await screen.findByText(title);
  });

  it("puts what is not as usual first, and leads to the records that failed", async () => {
    const { user, address } = openApp("/quality");
    const open = await screen.findByRole("list", { name: "Open incidents" });
    await user.click(within(open).getByRole("button", { name: /come without country/ }));
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText("31 % come without country.");
    within(drawer).getByText("evt-1");
    expect(address()).toContain(`incident=${INCIDENT}`);
  });

  it("shows scores with what they are made of, and a contract whole", async () => {
    const { user } = openApp("/quality");
    const list = await screen.findByRole("list", { name: "Contracts" });
    within(list).getByText("18 of 1,000 refused in 24 h");
    within(list).getByText("1 unusual, 5 as usual");
    await user.click(within(list).getByRole("button", { name: "Orders" }));
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByRole("table");
    within(drawer).getByRole("link", { name: "Refused records" });
  });

  it("takes an act with its note and version, and says why it cannot", async () => {
    const { user } = openApp(`/quality?incident=${INCIDENT}`);
    const drawer = await screen.findByRole("dialog");
    await user.type(
      await within(drawer).findByRole("textbox", { name: "Note" }),
      "The shop app lost the field",
    );
    server.on(`POST /api/v1/quality/incidents/${INCIDENT}/acknowledge`, () => [
      200,
      { ...incident, state: "acknowledged", version: 2 },
    ]);
    await user.click(within(drawer).getByRole("button", { name: "I look into it" }));
    await screen.findByText("Others see that you look into it.");
    const [sent] = server.sent(`POST /api/v1/quality/incidents/${INCIDENT}/acknowledge`);
    expect(await sent?.json()).toEqual({ version: 1, note: "The shop app lost the field" });
    server.on(`POST /api/v1/quality/incidents/${INCIDENT}/resolve`, () =>
      problem(409, "Somebody has changed this incident. Load it again."),
    );
    await user.click(within(drawer).getByRole("button", { name: "Close the incident" }));
    await screen.findByText("Somebody has changed this incident. Load it again.");
  });

  it("sets a monitor at the version that was seen", async () => {
    server.on(`PUT /api/v1/quality/monitors/${MONITOR}`, () => [
      200,
      { ...monitor, enabled: false, version: 4 },
    ]);
    const { user } = openApp(`/quality?monitor=${MONITOR}`);
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText("Nothing was observed in this time");
    await user.click(within(drawer).getByRole("switch", { name: "Watch this" }));
    await screen.findByText("It is watched no more.");
    const [sent] = server.sent(`PUT /api/v1/quality/monitors/${MONITOR}`);
    expect(await sent?.json()).toMatchObject({ version: 3, enabled: false });
  });

  it("offers nothing to those who only read", async () => {
    server.me = { ...me, permissions: ["quality:read"] };
    server.on(`GET /api/v1/quality/incidents/${INCIDENT}`, () => [
      200,
      { ...incident, failing: { ...incident.failing, ids: null } },
    ]);
    openApp(`/quality?incident=${INCIDENT}`);
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText("Whoever may see receipts sees which ones.");
    expect(within(drawer).queryByRole("textbox", { name: "Note" })).toBeNull();
  });

  it("says what the page is for while there is nothing, and tries again after a failure", async () => {
    server.on("GET /api/v1/quality", () => problem(503, "The database is away. Try again."));
    const { user } = openApp("/quality");
    await screen.findByText(/The database is away/);
    server.on("GET /api/v1/quality", () => [
      200,
      { as_of: NOW, contracts: [{ ...score, monitors_by_state: {}, open_incidents: 0 }], incidents: [] },
    ]);
    await user.click(screen.getByRole("button", { name: /again/i }));
    await waitFor(() => screen.getByText("Nothing is watched yet"));
    screen.getByText("not watched yet");
  });
});
