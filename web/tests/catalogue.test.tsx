import { screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const node = (
  kind: Schema<"NodeKind">,
  name: string,
  more: Partial<Schema<"Node">> = {},
): Schema<"Node"> => ({
  id: `${kind}:${name}`,
  kind,
  name,
  parent: "",
  about: "",
  type: "",
  data_class: "",
  owner: "",
  definition: "",
  link: "",
  ...more,
});
const rule = node("rule", "high_amount", { about: "High amount", definition: "amount > 800" });
const query = node("query", "Spend", { owner: "Budi Santoso", link: "/sql?saved=sav_1" });
const model = node("model", "fraud_2026", { about: "Scores each record" });

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["lineage:read"] };
  server.on("GET /api/v1/catalogue", () => [
    200,
    { items: [rule, query, model], kinds: { rule: 1, query: 1 } },
  ]);
  server.on("GET /api/v1/catalogue/rule%3Ahigh_amount", () => [
    200,
    { entry: rule, sources: [model], readers: [query], rows: null, newest: null, example: null },
  ]);
  server.on("GET /api/v1/catalogue/query%3ASpend", () => [
    200,
    { entry: query, sources: [], readers: [], rows: null, newest: null, example: null },
  ]);
  server.on("GET /api/v1/lineage/graph", () => [
    200,
    {
      node: rule.id,
      nodes: [model, rule],
      edges: [{ source: model.id, target: rule.id }],
      layers: { [model.id]: 0, [rule.id]: 1 },
      whole: true,
    },
  ]);
});

describe("the catalogue", () => {
  it("leads from a rule to the model before it and the query after it, whose owner it names", async () => {
    const { user, address } = openApp("/catalogue");
    const list = await screen.findByRole("list", { name: "Entries" });
    await user.click(within(list).getByRole("button", { name: /high_amount/ }));
    const entry = await screen.findByRole("article", { name: "high_amount" });
    within(entry).getByText("amount > 800");
    await within(entry).findByRole("button", { name: "Model fraud_2026" });
    await user.click(within(entry).getByRole("button", { name: "Spend" }));
    await screen.findByText("Budi Santoso");
    expect(address()).toContain("entry=query%3ASpend");
  });

  it("says that nothing is called so", async () => {
    server.on("GET /api/v1/catalogue", () => [200, { items: [], kinds: {} }]);
    openApp("/catalogue?q=xyzzy");
    await screen.findByText("Nothing is called so");
  });

  it("says why the lineage of an entry could not be loaded", async () => {
    server.on("GET /api/v1/lineage/graph", () => problem(503, "The graph is away."));
    openApp("/catalogue?entry=rule%3Ahigh_amount");
    await screen.findByText("The graph is away.");
    screen.getByText("amount > 800");
  });

  it("says why it could not be loaded", async () => {
    server.on("GET /api/v1/catalogue", () => problem(503, "The lake is away."));
    openApp("/catalogue");
    await screen.findByText("The lake is away.");
  });
});
