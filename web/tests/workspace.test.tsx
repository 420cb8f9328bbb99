import { CompletionContext } from "@codemirror/autocomplete";
import { sql } from "@codemirror/lang-sql";
import { EditorState } from "@codemirror/state";
import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { proposeChart } from "../src/features/workspace/chartOptions";
import { differences } from "../src/shared/differences";
import { completionsOf, createCodeEditor, statementAt } from "../src/shared/ui/codeEditor";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const saved: Schema<"Saved"> = {
  id: "sav_1",
  name: "Spend",
  description: "Who spends",
  folder: "Sales",
  tags: ["weekly"],
  owner: me.user.id,
  owner_name: me.user.name,
  mine: true,
  sharing: "tenant",
  team: null,
  version: 2,
  statement: "select 2",
  parameters: [],
  chart: null,
  created_at: NOW,
  changed_at: NOW,
  favourite: false,
};

const version = (number: number, statement: string): Schema<"SavedVersion"> => ({
  version: number,
  statement,
  parameters: [],
  chart: null,
  changed_by: "Mei Tan",
  changed_at: NOW,
});

const run: Schema<"SqlRun"> = {
  id: "qry_1",
  statement: "select 1",
  state: "done",
  as_of: NOW,
  asked_at: NOW,
  started_at: NOW,
  finished_at: NOW,
  expires_at: NOW,
  cached: false,
  columns: [{ name: "n", type: "number" }],
  cost: { bytes_read: 10, cpu_s: 0.1, memory_bytes: 1, rows_read: 1, seconds: 0.2 },
  error: "",
  problem: "",
  position: null,
  parameters: {},
  result_bytes: 1,
  rows: 1,
  saved: null,
  saved_version: null,
  schedule: null,
  truncated: false,
};

beforeEach(() => {
  localStorage.clear();
  server = new Server();
  server.me = { ...me, permissions: ["sql:run"] };
  server.on("GET /api/v1/sql/catalogue", () => [200, { items: [] }]);
  server.on("GET /api/v1/sql/saved", () => [200, { items: [saved], teams: [] }]);
  server.on("GET /api/v1/sql/saved/sav_1", () => [200, saved]);
  server.on("GET /api/v1/sql/saved/sav_1/versions", () => [
    200,
    { items: [version(2, "select 2"), version(1, "select 1\nfrom orders")] },
  ]);
  server.on("POST /api/v1/sql/queries", () => [200, run]);
  server.on("GET /api/v1/sql/queries/qry_1", () => [200, run]);
  server.on("GET /api/v1/sql/queries/qry_1/rows", () => [
    200,
    { columns: run.columns, items: [[1]], offset: 0, total: 1, next: null },
  ]);
});

describe("the SQL page", () => {
  it("opens the query that the catalogue links to, and asks the lake as of a moment of the firm's clock", async () => {
    const { user } = openApp("/sql?saved=sav_1");
    await screen.findByRole("button", { name: "Spend" });
    const field = screen.getByLabelText("As of");
    await user.type(field, "2026-11-20T14:03");
    await user.click(screen.getByRole("button", { name: "Run" }));
    await screen.findByText(/took 1 row from the tables, read 10 B in .* as it was/);
    const [asked] = server.sent("POST /api/v1/sql/queries");
    const body = (await asked?.json()) as Schema<"QueryBody">;
    expect([body.statement, body.as_of]).toEqual(["select 2", "2026-11-20T06:03:00.000Z"]);
    await user.click(screen.getByRole("button", { name: "Now" }));
    expect((field as HTMLInputElement).value).toBe("");
  });

  it("tells calmly that a query was cancelled, which is no failure", async () => {
    const cancelled = {
      ...run,
      state: "cancelled" as const,
      error: "You cancelled it.",
      columns: [],
      rows: null,
    };
    server.on("POST /api/v1/sql/queries", () => [200, cancelled]);
    server.on("GET /api/v1/sql/queries/qry_1", () => [200, cancelled]);
    const { user } = openApp("/sql?saved=sav_1");
    await screen.findByRole("button", { name: "Spend" });
    await user.click(screen.getByRole("button", { name: "Run" }));
    expect((await screen.findByText("You cancelled it.")).getAttribute("role")).toBe("status");
  });

  it("compares two versions of a saved query, and brings one back as a new one", async () => {
    server.on("PUT /api/v1/sql/saved/sav_1", () => [200, { ...saved, version: 3 }]);
    const { user } = openApp("/sql?tab=saved");
    await user.click(await screen.findByRole("button", { name: "Versions of Spend" }));
    const dialog = await screen.findByRole("dialog");
    const differs = await within(dialog).findByRole("region", { name: "What differs" });
    expect([...differs.querySelectorAll("li")].map((one) => one.textContent)).toEqual([
      "−Removed: select 1",
      "−Removed: from orders",
      "+Added: select 2",
    ]);
    await user.click(within(dialog).getByRole("button", { name: "Bring back version 1" }));
    await user.click(await screen.findByRole("button", { name: "Bring back" }));
    await screen.findByText("Version 3 says what version 1 said.");
    const [sent] = server.sent("PUT /api/v1/sql/saved/sav_1");
    const body = (await sent?.json()) as Schema<"SavedBody">;
    expect([body.version, body.statement, body.name, body.folder]).toEqual([
      2,
      "select 1\nfrom orders",
      "Spend",
      "Sales",
    ]);
  });

  it("says why versions could not be loaded", async () => {
    server.on("GET /api/v1/sql/saved/sav_1/versions", () => problem(503, "The database is away."));
    const { user } = openApp("/sql?tab=saved");
    await user.click(await screen.findByRole("button", { name: "Versions of Spend" }));
    await screen.findByText("The database is away.");
  });

  it("says what the history is for before anything was asked", async () => {
    server.on("GET /api/v1/sql/queries", () => [200, { items: [], next: null }]);
    openApp("/sql?tab=history");
    await screen.findByText("Nothing asked yet");
    await waitFor(() => expect(server.sent("GET /api/v1/sql/queries")).toHaveLength(1));
  });
});

describe("the chart that is proposed", () => {
  it("draws one measure, since a count and a sum have no axis in common", () => {
    const columns = (...names: string[]) =>
      names.map((name) => ({ name, type: name === "day" ? "date" : name === "country" ? "text" : "number" }));
    const proposed = (...names: string[]) => {
      const { kind, x, y } = proposeChart(columns(...names), 20);
      return [kind, x, ...(y ?? [])];
    };
    expect(proposed("country", "orders", "sold")).toEqual(["bar", "country", "orders"]);
    expect(proposed("day", "orders", "sold")).toEqual(["line", "day", "orders"]);
    expect(proposed("hour", "orders", "sold")).toEqual(["bar", "hour", "orders"]);
  });
});

describe("what the editor completes", () => {
  it("offers each word once, although functions and columns are keywords as well", async () => {
    const words = {
      tables: [{ label: "orders", columns: [{ label: "type" }, { label: "amount" }] }],
      functions: [{ label: "count" }, { label: "sum" }],
      parameters: [],
    };
    const statement = "select t";
    const state = EditorState.create({ doc: statement, extensions: [sql()] });
    const context = new CompletionContext(state, statement.length, true);
    const found = await Promise.all(completionsOf(words).map((source) => source(context)));
    const labels = found.flatMap((one) => one?.options.map((option) => option.label) ?? []);
    expect(labels).toEqual(expect.arrayContaining(["orders", "type", "count", "sum", "select"]));
    expect(labels.filter((label, place) => labels.indexOf(label) !== place)).toEqual([]);
  });
});

describe("the statement at the cursor", () => {
  const text = "select ';' as a; -- first; one\nselect 2;\n\nselect 3";
  const state = EditorState.create({ doc: text, extensions: [sql()] });
  const at = (place: string) => statementAt(state, text.indexOf(place)).text.replace(/;$/, "");

  it("is the one that holds it, whatever quotes and comments say", () => {
    expect(at("as a")).toBe("select ';' as a");
    expect(at("2")).toBe("select 2");
    expect(at("3")).toBe("select 3");
    expect(statementAt(state, text.length)).toEqual({ text: "select 3", from: text.indexOf("select 3") });
    expect(at("\n\n")).toBe("select 2");
  });

  it("is all of the text when there is but one", () => {
    const one = EditorState.create({ doc: "-- why\nselect 1", extensions: [sql()] });
    expect(statementAt(one, 3)).toEqual({ text: "-- why\nselect 1", from: 0 });
  });
});

describe("what differs between two texts", () => {
  it("is the fewest lines", () => {
    const lines = differences("a\nb\nc", "a\nx\nc\nd").map((one) => `${one.state[0]}${one.text}`);
    expect(lines).toEqual(["sa", "rb", "ax", "sc", "ad"]);
    expect(differences("same", "same")).toEqual([{ text: "same", state: "same" }]);
  });
});

describe("text that is only read", () => {
  it("is not typed over, not even where some of it is chosen", () => {
    const place = document.createElement("div");
    document.body.append(place);
    const typed = (readOnly: boolean) => {
      const editor = createCodeEditor(place, "amount > 800", {
        language: "sql",
        label: "Condition",
        readOnly,
      });
      const content = [...place.querySelectorAll(".cm-content")].at(-1);
      content?.dispatchEvent(
        new KeyboardEvent("keydown", { key: "a", keyCode: 65, ctrlKey: true, bubbles: true }),
      );
      const init = { inputType: "insertText", data: "x", bubbles: true, cancelable: true };
      content?.dispatchEvent(new InputEvent("beforeinput", init));
      return editor.text();
    };
    expect([typed(false), typed(true)]).toEqual(["x", "amount > 800"]);
    place.remove();
  });
});
