import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { conditionsOf, type Fields, valuesOf } from "../src/features/dashboards/alertFields";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const alert: Schema<"MetricAlertDocument"> = {
  id: "mal_00000000000000000000000000000001",
  name: "Revenue falls",
  watched: { metric: "revenue", span: "24h", region: "", channel: "" },
  condition: "value < 100",
  settles: "value >= 120",
  sensitivity: "normal",
  severity: "critical",
  pending_minutes: 5,
  cooldown_minutes: 0,
  group: "shop",
  mail: true,
  hook: null,
  active: true,
  version: 3,
  state: "firing",
  since: NOW,
  told_at: NOW,
  reason: "Revenue of the last 24 hours is 90 EUR.",
  value: 90,
  looked_at: NOW,
  problem: "",
};
const quiet: typeof alert = {
  ...alert,
  id: "mal_2",
  name: "A quiet one",
  state: "ok",
  since: null,
  group: "",
};
const hook: Schema<"HookDocument"> = {
  id: "hok_1",
  name: "Pager",
  host: "hooks.example",
  created_at: NOW,
  last: null,
};
let server: Server;

const hold = (items: (typeof alert)[], silences: Schema<"SilenceDocument">[] = []) =>
  server.on("GET /api/v1/metric-alerts", () => [200, { items, silences }]);

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["dashboards:read", "dashboards:write", "finance:read", "hooks:read"] };
  server.on("GET /api/v1/hooks", () => [200, { items: [hook] }]);
  server.on("GET /api/v1/dashboards/metrics", () => [
    200,
    {
      items: [{ name: "revenue", title: "Revenue", about: "", money: true }],
      regions: ["PH"],
      channels: ["web"],
    },
  ]);
});

describe("alerts on metrics", () => {
  it("stand with what fires first, and say what is silenced and what could not be looked at", async () => {
    const held = { ...quiet, id: "mal_3", name: "A held one", problem: "The sums are behind." };
    hold([held, quiet, alert], [{ id: "sil_1", alert: null, group: "shop", until: NOW, reason: "release" }]);
    openApp("/metric-alerts");
    const list = within(await screen.findByRole("region", { name: "Alerts on metrics" }));
    const items = await list.findAllByRole("listitem");
    expect(items.map((one) => one.querySelector("b")?.textContent)).toEqual([
      "Revenue falls",
      "A held one",
      "A quiet one",
    ]);
    within(items[0] as HTMLElement).getByText(/silenced until/);
    within(items[1] as HTMLElement).getByText("The sums are behind.");
    await waitFor(() => expect(items[0]?.textContent).toContain("value < 100 in PHP"));
    screen.getByText(/You are told nothing of the group shop/);
  });

  it("say what they are for when there are none, and try again when they cannot be loaded", async () => {
    server.on("GET /api/v1/metric-alerts", () => problem(503, "Not now."));
    const { user } = openApp("/metric-alerts");
    await screen.findByText("The alerts could not be loaded");
    hold([]);
    await user.click(screen.getByRole("button", { name: /Try again/ }));
    await screen.findByText("No alerts on metrics");
  });

  it("offer none to who sees no metric, in the navigation neither", async () => {
    server.me = { ...me, permissions: ["dashboards:read", "dashboards:write", "sql:run"] };
    hold([]);
    openApp("/metric-alerts");
    await screen.findByText(/Your role sees no metric/);
    expect(screen.queryByRole("button", { name: "New alert" })).toBeNull();
    const links = within(screen.getByRole("navigation")).getAllByRole("link");
    expect(links.map((link) => link.textContent)).toEqual(["Dashboards", "SQL"]);
  });

  it("are changed with everything that was not touched as it was, and a paused one stays so", async () => {
    hold([{ ...alert, active: false }]);
    server.on("GET /api/v1/me/currency", () => [200, { currency: "PHP", exponent: 2, per_usd: "57" }]);
    server.on(`PUT /api/v1/metric-alerts/${alert.id}`, () => [200, alert]);
    const { user } = openApp("/metric-alerts");
    await user.click(await screen.findByRole("button", { name: "Change: Revenue falls" }));
    const dialog = within(await screen.findByRole("dialog"));
    const line = dialog.getByLabelText("The line");
    expect((line as HTMLInputElement).value).toBe("100");
    // The line, and where it is over.
    expect(await dialog.findAllByText("PHP")).toHaveLength(2);
    await user.clear(line);
    await user.type(line, "80");
    await user.click(dialog.getByRole("button", { name: "Change" }));
    await waitFor(() => expect(server.sent(`PUT /api/v1/metric-alerts/${alert.id}`)).toHaveLength(1));
    const sent = await server.sent(`PUT /api/v1/metric-alerts/${alert.id}`)[0]?.json();
    expect(sent).toMatchObject({
      condition: "value < 80",
      settles: "value >= 120",
      active: false,
      version: 3,
      pending_minutes: 5,
      group: "shop",
      mail: true,
    });
  });
});

describe("conditions", () => {
  it.each<[Partial<Fields> & Pick<Fields, "kind">, string, string]>([
    [{ kind: "threshold", side: "above", line: 10, settles_at: 8 }, "value > 10", "value <= 8"],
    [{ kind: "threshold", side: "below", line: -0.5, settles_at: null }, "value < -0.5", ""],
    [{ kind: "threshold", side: "above", line: 1e7, settles_at: null }, "value > 10000000", ""],
    [{ kind: "change", side: "below", percent: 7 }, "change < -0.07", ""],
    [{ kind: "change", side: "above", percent: 150 }, "change > 1.5", ""],
    [{ kind: "anomaly" }, "value < low or value > high", ""],
    [
      { kind: "own", condition: "value > 1 and change > 2", settles: "value < 1" },
      "value > 1 and change > 2",
      "value < 1",
    ],
  ])("%j come back from what is kept as they went into it", (fields, condition, settles) => {
    expect(conditionsOf(fields)).toEqual({ condition, settles });
    const back = valuesOf({ ...alert, condition, settles });
    expect(back).toMatchObject(fields);
    expect(conditionsOf(back as Fields)).toEqual({ condition, settles });
  });
});

describe("webhooks", () => {
  it("are added by administrators, who see the secret once", async () => {
    server.me = { ...me, permissions: ["hooks:read", "hooks:write"] };
    server.on("GET /api/v1/hooks", () => [200, { items: [] }]);
    server.on("POST /api/v1/hooks", () => [201, { hook, secret: "whsec_once" }]);
    const { user } = openApp("/webhooks");
    await user.click(await screen.findByRole("button", { name: /New webhook/ }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.type(dialog.getByLabelText("Name"), "Pager");
    await user.type(dialog.getByLabelText("Address"), "https://hooks.example/x");
    await user.click(dialog.getByRole("button", { name: "Add" }));
    expect(await screen.findByDisplayValue("whsec_once")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "I have stored it" }));
    await waitFor(() => expect(screen.queryByDisplayValue("whsec_once")).toBeNull());
  });

  it("say what became of the last document, and are only looked at by an auditor", async () => {
    server.me = { ...me, permissions: ["hooks:read"] };
    const last = { state: "failed" as const, at: NOW, problem: "The webhook answered with the status 500." };
    server.on("GET /api/v1/hooks", () => [200, { items: [{ ...hook, last }] }]);
    openApp("/webhooks");
    await screen.findByText("The webhook answered with the status 500.");
    expect(screen.queryByRole("button", { name: /Try|Take|New/ })).toBeNull();
  });
});
