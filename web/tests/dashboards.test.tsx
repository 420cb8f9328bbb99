import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { valuesOf } from "../src/features/dashboards/alertFields";
import { cellText, crossed, figureText, numberOf } from "../src/features/dashboards/figures";
import { stepped } from "../src/features/dashboards/layout";
import { tileOption } from "../src/features/dashboards/tileOption";
import { filterSearch, parseFilters, streamUrl } from "../src/features/dashboards/view";
import { changeText } from "../src/shared/numbers";
import type { Theme } from "../src/shared/ui/Plotted";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { FakeEventSource } from "./support/eventSource";
import { problem, Server } from "./support/server";

const ID = "dsh_00000000000000000000000000000001";
let server: Server;

const plain = { query: null, metric: null, thresholds: [] };
const placedTile = (id: string, x: number, y: number, w = 6, h = 4): Schema<"Tile"> => ({
  ...plain,
  id,
  title: `Tile ${id}`,
  kind: "number",
  metric: { name: "revenue", span: "24h", by: "" },
  x,
  y,
  w,
  h,
});

const data: Required<Schema<"TileData">> = {
  state: "shown",
  as_of: NOW,
  problem: "",
  refreshing: false,
  columns: [
    { name: "at", type: "timestamp" },
    { name: "value", type: "number" },
  ],
  rows: [[NOW, 123_456]],
  total: 1,
  value: 123_456,
  change: 0.051,
  currency: "PHP",
  exponent: 2,
  unfiltered: [],
  behind_since: null,
};

const dashboard: Schema<"DashboardDocument"> = {
  id: ID,
  name: "Morning",
  description: "What to look at first",
  owner_name: "Mei Tan",
  mine: true,
  sharing: "tenant",
  team: null,
  version: 1,
  tiles: [placedTile("a", 0, 0), placedTile("b", 6, 0)],
  changed_at: NOW,
};

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["dashboards:read", "dashboards:write", "finance:read"] };
  server.on("GET /api/v1/dashboards", () => [200, { items: [dashboard], teams: [] }]);
  server.on("GET /api/v1/dashboards/metrics", () => [200, { items: [], regions: [], channels: ["web"] }]);
  server.on(`GET /api/v1/dashboards/${ID}`, () => [200, dashboard]);
  server.on(`GET /api/v1/dashboards/${ID}/annotations`, () => [200, { items: [] }]);
  server.on(`GET /api/v1/dashboards/${ID}/data`, () => [
    200,
    { a: data, b: { ...data, state: "refused", rows: [], columns: [], problem: "Not shared with you." } },
  ]);
});

const tile = (name: string) => screen.findByRole("region", { name });

describe("a dashboard", () => {
  it("shows each tile by itself, and what changes as it changes", async () => {
    openApp(`/dashboards/${ID}`);
    await within(await tile("Tile a")).findByText("1,234.56 PHP");
    within(await tile("Tile b")).getByText("Not shared with you.");
    const stream = FakeEventSource.at(`/api/v1/dashboards/${ID}/stream`);
    stream.open();
    stream.send("change", { a: { ...data, value: 200_000 } });
    await within(await tile("Tile a")).findByText("2,000.00 PHP");
    within(await tile("Tile b")).getByText("Not shared with you.");
  });

  it("holds filters in the address and says when nothing matches", async () => {
    server.on(`GET /api/v1/dashboards/${ID}/data`, () => [200, { a: { ...data, rows: [] }, b: data }]);
    const { user, address } = openApp(`/dashboards/${ID}?filter=${encodeURIComponent('["region:Mars"]')}`);
    await within(await tile("Tile a")).findByText(/Nothing matches where region is Mars/);
    await user.click(screen.getByLabelText("Take the filter region away"));
    await waitFor(() => expect(address()).not.toContain("Mars"));
  });

  it("is presented until Escape is pressed on it, which a dialog over it keeps for itself, and not laid out then", async () => {
    const { user, address } = openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    await user.keyboard("f");
    await screen.findByRole("button", { name: "Leave" });
    await user.keyboard("e");
    expect(address()).not.toContain("edit");
    await user.click(screen.getByRole("button", { name: "What to do with Tile a" }));
    await user.click(await screen.findByRole("menuitem", { name: /Alert me about it/ }));
    await user.type(await screen.findByLabelText("The line"), "5{Escape}");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    screen.getByRole("button", { name: "Leave" });
    await user.keyboard("{Escape}");
    await screen.findByRole("button", { name: "Edit" });
    expect(screen.queryByRole("button", { name: "Leave" })).toBeNull();
  });

  it("is presented no longer once the way back led to its editor", async () => {
    const { user, router } = openApp(`/dashboards/${ID}?edit=true`);
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await tile("Tile a");
    await user.keyboard("f");
    await screen.findByRole("button", { name: "Leave" });
    router.history.back();
    await screen.findByRole("button", { name: "Add a tile" });
    router.history.forward();
    await screen.findByRole("button", { name: "Edit" });
  });

  it("keeps what is laid out while it is being saved, and counts it as unsaved", async () => {
    const { user } = openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    await user.keyboard("e");
    await user.click(await screen.findByRole("button", { name: "Copy Tile b" }));
    const path = `PUT /api/v1/dashboards/${ID}`;
    const go = server.hold(path, () => [
      200,
      { ...dashboard, version: 2, tiles: [...dashboard.tiles, placedTile("c", 0, 4)] },
    ]);
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.sent(path)).toHaveLength(1));
    await user.click(screen.getByRole("button", { name: "Copy Tile a" }));
    go();
    await waitFor(() =>
      expect(screen.getByRole("button", { name: "Save" }).className).not.toContain("loading"),
    );
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.sent(path)).toHaveLength(2));
    const [, again] = server.sent(path);
    const sent = (await again?.json()) as Schema<"DashboardBody">;
    expect([sent.version, sent.tiles?.length]).toEqual([2, 4]);
  });

  it("stays in the editor where a tile is being written when it is saved", async () => {
    const { user } = openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    await user.keyboard("e");
    await user.click(await screen.findByRole("button", { name: "Copy Tile b" }));
    const path = `PUT /api/v1/dashboards/${ID}`;
    const go = server.hold(path, () => [200, { ...dashboard, version: 2 }]);
    const save = screen.getByRole("button", { name: "Save" });
    await user.click(save);
    await waitFor(() => expect(server.sent(path)).toHaveLength(1));
    await user.click(screen.getByRole("button", { name: "Add a tile" }));
    await user.type(await screen.findByLabelText("Title"), "Takings");
    go();
    await waitFor(() => expect(save.className).not.toContain("loading"));
    expect(screen.getByLabelText<HTMLInputElement>("Title").value).toBe("Takings");
  });

  it("keeps what is laid out where it was changed elsewhere meanwhile, shows that, and lets the writer choose", async () => {
    const { user } = openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    await user.keyboard("e");
    await user.click(await screen.findByRole("button", { name: "Copy Tile b" }));
    const path = `PUT /api/v1/dashboards/${ID}`;
    server.on(path, () => {
      const theirs = { ...dashboard, version: 2, tiles: [...dashboard.tiles, placedTile("c", 0, 4)] };
      server.on(`GET /api/v1/dashboards/${ID}`, () => [200, theirs]);
      return problem(409, "It was changed since you opened it.");
    });
    const save = screen.getByRole("button", { name: "Save" });
    await user.click(save);
    const notice = await screen.findByText("Somebody changed the dashboard while you wrote");
    expect(notice.closest("[role=alert]")?.textContent).toContain("Added: Tile c: column 1, row 5");
    expect(screen.queryByText(/since you opened it/)).toBeNull();
    await user.click(screen.getByRole("button", { name: "Keep mine" }));
    await user.click(save);
    await waitFor(() => expect(server.sent(path)).toHaveLength(2));
    const sent = (await server.sent(path)[1]?.json()) as Schema<"DashboardBody">;
    expect([sent.version, sent.tiles?.map(({ title }) => title)]).toEqual([
      2,
      ["Tile a", "Tile b", "Tile b"],
    ]);
  });

  it("keeps what is written in the dialog of a tile that is taken away elsewhere meanwhile", async () => {
    const { user, router } = openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    await user.keyboard("e");
    await user.click(await screen.findByRole("button", { name: "Edit Tile b" }));
    const title = await screen.findByLabelText<HTMLInputElement>("Title");
    await user.type(title, " of today");
    server.on(`GET /api/v1/dashboards/${ID}`, () => [
      200,
      { ...dashboard, version: 2, tiles: dashboard.tiles.slice(0, 1) },
    ]);
    await router.options.context.client.invalidateQueries({ queryKey: ["dashboards", "one"] });
    await screen.findByText("Somebody changed the dashboard while you wrote");
    expect(title.value).toBe("Tile b of today");
  });

  it("says that it is gone when it is not shared any more, and shows no more of it", async () => {
    openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    server.on(`GET /api/v1/dashboards/${ID}`, () => problem(404, "There is no dashboard that you may see."));
    FakeEventSource.at(`/api/v1/dashboards/${ID}/stream`).fail(true);
    await screen.findByText("There is no such dashboard");
    expect(screen.queryByText("1,234.56 PHP")).toBeNull();
  });

  it("looks anew when somebody changed it", async () => {
    openApp(`/dashboards/${ID}`);
    await tile("Tile a");
    server.on(`GET /api/v1/dashboards/${ID}`, () => [
      200,
      { ...dashboard, version: 2, tiles: [placedTile("c", 0, 0)] },
    ]);
    server.on(`GET /api/v1/dashboards/${ID}/data`, () => [200, { c: data }]);
    const stream = FakeEventSource.at(`/api/v1/dashboards/${ID}/stream`);
    stream.open();
    stream.send("change", { a: { ...data, state: "changed" } });
    await within(await tile("Tile c")).findByText("1,234.56 PHP");
    // The stream goes on telling of the dashboard as it was when it was opened.
    const anew = FakeEventSource.at(`/api/v1/dashboards/${ID}/stream`);
    expect([stream.readyState, anew === stream]).toEqual([FakeEventSource.CLOSED, false]);
    anew.open();
    anew.send("change", { c: { ...data, value: 200_000 } });
    await within(await tile("Tile c")).findByText("2,000.00 PHP");
  });
});

describe("filters", () => {
  it("come back from the address as they went into it", () => {
    const filters = parseFilters({ span: "7d", filter: ["b:2:x", "a:1", "broken", 3] });
    expect(filters).toEqual({ span: "7d", values: { a: "1", b: "2:x" } });
    expect(parseFilters(filterSearch(filters))).toEqual(filters);
    expect(streamUrl("x", filters)).toBe("/api/v1/dashboards/x/stream?span=7d&filter=a%3A1&filter=b%3A2%3Ax");
    expect(parseFilters({ span: "century" })).toEqual({ span: undefined, values: {} });
  });
});

describe("laying out by keyboard", () => {
  const tiles = [placedTile("a", 0, 0), placedTile("b", 0, 4), placedTile("c", 6, 0)];
  const at = (found: Schema<"Tile">[], id: string) => {
    const one = found.find((each) => each.id === id);
    return [one?.x, one?.y, one?.w, one?.h];
  };

  it("moves a tile past its neighbour and back", () => {
    const down = stepped(tiles, "a", "down");
    expect([at(down, "a"), at(down, "b")]).toEqual([
      [0, 4, 6, 4],
      [0, 0, 6, 4],
    ]);
    expect(stepped(down, "a", "up").map((one) => at([one], one.id))).toEqual(
      tiles.map((one) => at([one], one.id)),
    );
  });

  it("makes room for a tile that grows, and stays on the grid", () => {
    expect(at(stepped(tiles, "a", "taller"), "b")).toEqual([0, 5, 6, 4]);
    expect(at(stepped(tiles, "c", "right"), "c")).toEqual([6, 0, 6, 4]);
    expect(at(stepped(tiles, "a", "left"), "a")).toEqual([0, 0, 6, 4]);
    const narrow = [placedTile("a", 0, 0, 2, 2)];
    expect(at(stepped(stepped(narrow, "a", "narrower"), "a", "shorter"), "a")).toEqual([0, 0, 2, 2]);
  });
});

describe("figures", () => {
  it("says amounts in major units, and the gravest threshold that was crossed", () => {
    const one = placedTile("a", 0, 0);
    expect(figureText(numberOf(one, data), data)).toBe("1,234.56 PHP");
    expect(figureText(1_200_000, data)).toBe("1.2M PHP");
    const lines: Schema<"Threshold">[] = [
      { value: 1000, side: "above", severity: "warning", label: "" },
      { value: 1200, side: "above", severity: "critical", label: "much" },
      { value: 0, side: "below", severity: "critical", label: "" },
    ];
    expect(crossed(1234.56, lines)?.label).toBe("much");
    expect(crossed(1100, lines)?.severity).toBe("warning");
    expect(crossed(500, lines)).toBeNull();
    expect([-0.123, 0.0123, 0, 8.99].map(changeText)).toEqual(["−12 %", "+1.2 %", "±0 %", "+899 %"]);
    expect([9, 920.67, 12_345].map(changeText)).toEqual(["× 10", "× 922", "× 12,346"]);
  });

  it("says moments by the firm's clock, and leaves days as they are", () => {
    expect(cellText("2026-11-29T04:00:00+00:00", "timestamp", data, "Asia/Manila")).toBe(
      "29 Nov 2026 12:00:00",
    );
    expect(cellText("2026-11-29", "date", data, "Asia/Manila")).toBe("2026-11-29");
  });

  it("draws a note of the bucket that is under way, and none of later or earlier", () => {
    const one = { ...placedTile("a", 0, 0), kind: "line" as const };
    const hours = {
      ...data,
      as_of: "2026-11-29T04:42:00Z",
      rows: [
        ["2026-11-29T03:00:00Z", 1],
        ["2026-11-29T04:00:00Z", 2],
      ],
    };
    const note = (at: string) => ({ id: at, at, text: "Release", author: "Mei", mine: true });
    const notes = ["02:59", "03:30", "04:40", "04:50"].map((at) => note(`2026-11-29T${at}:00Z`));
    const drawn = tileOption(one, hours, notes, { dark: false } as Theme).series[0]?.markLine?.data;
    expect(drawn?.map((line) => "xAxis" in line && new Date(line.xAxis).toISOString().slice(11, 16))).toEqual(
      ["03:30", "04:00"],
    );
  });

  it("has dates below days, and times below hours", () => {
    const one = { ...placedTile("a", 0, 0), kind: "line" as const };
    const below = (rows: [string, number][]) =>
      tileOption(one, { ...data, rows }, [], { dark: false, primary: "", timeText: () => "a time" }).xAxis
        .axisLabel;
    const text = (rows: [string, number][]) => {
      const { formatter } = below(rows) as { formatter(at: number): string };
      return formatter(Date.parse("2026-11-29T00:00:00Z"));
    };
    expect(
      text([
        ["2026-11-28T00:00:00Z", 1],
        ["2026-11-29T00:00:00Z", 2],
      ]),
    ).toMatch(/29/);
    expect(
      text([
        ["2026-11-29T00:00:00Z", 1],
        ["2026-11-29T01:00:00Z", 2],
      ]),
    ).toBe("a time");
  });
});

describe("an alert from a tile", () => {
  it("looks at what the page is narrowed down to", () => {
    const fields = valuesOf(undefined, placedTile("a", 0, 0), { span: "7d", values: { region: "PH" } });
    expect(fields).toMatchObject({ metric: "revenue", span: "7d", region: "PH", kind: "threshold" });
  });
});
