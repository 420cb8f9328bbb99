import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { startOf } from "../src/features/ingest/YamlEditor";
import { openApp } from "./support/app";
import { codeOf, writeCode } from "./support/code";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const summary: Schema<"ContractSummary"> = {
  name: "transaction",
  version: "1.2.0",
  description: "Every movement of money.",
  owner: "Payments",
  in_force: true,
  built_in: true,
  drafts: 0,
  fields: 2,
  rules: 0,
  received: 1000,
  quarantined: 20,
  quarantined_share: 0.02,
  last_event_at: NOW,
};

const field = (name: string): Schema<"FieldView"> => ({
  name,
  type: "text",
  column: name,
  description: `What ${name} says`,
  must_be: ["It must be there."],
  aliases: [],
  required: true,
  classification: null,
  data_class: "internal",
});

const detail: Schema<"ContractDetail"> = {
  summary,
  fields: [field("amount"), field("currency")],
  rules: [],
  payloads: [],
  service_levels: [],
  team: [{ name: "Payments", role: "owner" }],
  versions: [],
  drafts: [],
};

const node = (kind: Schema<"NodeKind">, name: string, about = ""): Schema<"Node"> => ({
  id: `${kind}:${name}`,
  kind,
  name,
  parent: "",
  about,
  type: "",
  data_class: "",
  owner: "",
  definition: "",
  link: "",
});

const draft: Schema<"ContractDraft"> = {
  id: "cver_1",
  contract: "transaction",
  version: "1.3.0",
  text: "name: transaction\nversion: x\n",
  note: "",
  author: "Budi",
  revision: 1,
  updated_at: NOW,
  problems: [],
  comparison: null,
  trial: null,
};

beforeEach(() => {
  server = new Server();
  server.me = {
    ...me,
    permissions: ["contracts:read", "contracts:sample", "contracts:write", "lineage:read"],
  };
  server.on("GET /api/v1/contracts", () => [200, { items: [summary] }]);
  server.on("GET /api/v1/contracts/transaction", () => [200, detail]);
});

describe("a contract", () => {
  it("says who reads a field, by kind, and leads to the catalogue", async () => {
    server.on("GET /api/v1/lineage/fields/transaction/currency", () => [
      200,
      {
        contract: "transaction",
        field: "currency",
        readers: [
          node("rule", "odd_currency", "Odd"),
          node("feature", "account.mean_30d"),
          node("query", "Spend"),
        ],
      },
    ]);
    const { user, address } = openApp("/contracts/transaction");
    await user.click(await screen.findByRole("link", { name: "Who reads currency" }));
    const rules = await screen.findByRole("region", { name: "Rules" });
    expect(within(rules).getByRole("link", { name: "odd_currency" }).getAttribute("href")).toContain(
      "rule%3Aodd_currency",
    );
    screen.getByRole("region", { name: "Features" });
    screen.getByRole("region", { name: "Saved queries" });
    expect(address()).toBe("/contracts/transaction?tab=readers&field=currency");
  });

  it("says that nothing reads a field, and what went wrong when it cannot tell", async () => {
    server.on("GET /api/v1/lineage/fields/transaction/amount", () => [
      200,
      { contract: "transaction", field: "amount", readers: [] },
    ]);
    openApp("/contracts/transaction?tab=readers");
    await screen.findByText(/Nothing reads amount yet/);
  });

  it("shows no readers to who may not see lineage", async () => {
    server.me = { ...me, permissions: ["contracts:read"] };
    openApp("/contracts/transaction?tab=readers");
    await screen.findByText("What amount says");
    expect(screen.queryByRole("button", { name: "Who reads it" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Sample" })).toBeNull();
  });

  it("shows the newest records, and where to send the first one", async () => {
    server.on("GET /api/v1/contracts/transaction/sample", () => [200, { rows: [] }]);
    openApp("/contracts/transaction?tab=sample");
    await screen.findByText("No record has come in yet");
  });

  it("shows its quality score to who may see it, and none where none is kept", async () => {
    server.me = { ...me, permissions: ["contracts:read", "quality:read"] };
    const score = { contract: "transaction", score: 0.987, received: 1000, passed: 987, open_incidents: 2 };
    server.on("GET /api/v1/quality/contracts/transaction", () => [200, score]);
    openApp("/contracts/transaction");
    await screen.findByRole("link", { name: "98.7 %" });
    screen.getByText("2 open incidents");
  });

  it("says that it is not there", async () => {
    server.on("GET /api/v1/contracts/transaction", () => problem(404, "There is no contract transaction."));
    openApp("/contracts/transaction");
    await screen.findByText("The contract could not be found");
  });
});

describe("a draft", () => {
  it("names the line of a mistake, and what reads a field that changes", async () => {
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    server.on("POST /api/v1/contracts/validation", () => [
      200,
      { readable: false, line: 2, problem: "A version is three numbers.", version: "", problems: [] },
    ]);
    openApp("/contracts/drafts/cver_1");
    await screen.findByText("Line 2: A version is three numbers.");
    await screen.findByRole("button", { name: "Go to line 2" });
    await screen.findByRole("textbox", { name: "Text of the contract (YAML)" });
  });

  it("does not call it a mistake that nothing is written yet", async () => {
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    const comparison = { backward: true, forward: true, lowest_version: "1.2.0", changes: [] };
    const said = "It says the same as version 1.2.0, which is in force.";
    server.on("POST /api/v1/contracts/validation", () => [
      200,
      { readable: true, line: null, problem: "", version: "1.2.0", problems: [said], comparison },
    ]);
    openApp("/contracts/drafts/cver_1");
    expect((await screen.findByText(said)).className).toBe("muted");
  });

  it("says what would notice a change", async () => {
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    server.on("POST /api/v1/contracts/validation", () => [
      200,
      {
        readable: true,
        line: null,
        problem: "",
        version: "2.0.0",
        problems: [],
        comparison: {
          backward: false,
          forward: true,
          lowest_version: "2.0.0",
          changes: [
            { level: "major", kind: "range", field: "amount", sentence: "amount may be at most 10." },
          ],
        },
      },
    ]);
    server.on("GET /api/v1/lineage/fields/transaction/amount", () => [
      200,
      {
        contract: "transaction",
        field: "amount",
        readers: [node("rule", "a"), node("rule", "b"), node("feature", "c"), node("lake", "d")],
      },
    ]);
    openApp("/contracts/drafts/cver_1");
    const found = await screen.findByRole("list", { name: "What reads the fields that change" });
    await waitFor(() => expect(found.textContent).toBe("amount is read by 1 feature, 2 rules"));
  });

  it("keeps what was written when somebody else was first, shows their lines, and lets the writer choose", async () => {
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    server.on("POST /api/v1/contracts/validation", () => [200, { readable: true, version: "2.0.0" }]);
    server.on("PUT /api/v1/contract-drafts/cver_1", () => {
      const theirs = { ...draft, revision: 2, text: "name: transaction\nversion: 2.0.0\n" };
      server.on("GET /api/v1/contract-drafts/cver_1", () => [200, theirs]);
      return problem(409, "Somebody has changed this draft. Load it again.");
    });
    openApp("/contracts/drafts/cver_1");
    const TEXT = "Text of the contract (YAML)";
    const mine = "name: transaction\nversion: 1.3.1\n";
    await writeCode(TEXT, mine);
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
    await waitFor(() => expect(save.disabled).toBe(false));
    fireEvent.click(save);
    const notice = (await screen.findByText("Somebody changed the draft while you wrote")).closest(
      "[role=alert]",
    );
    expect(notice?.textContent).toContain("Added: version: 2.0.0");
    expect(notice?.textContent).not.toContain("name: transaction");
    expect(screen.queryByText(/Load it again/)).toBeNull();
    expect(await codeOf(TEXT)).toBe(mine);
    server.on("PUT /api/v1/contract-drafts/cver_1", () => [200, { ...draft, revision: 3, text: mine }]);
    fireEvent.click(screen.getByRole("button", { name: "Keep mine" }));
    fireEvent.click(save);
    await waitFor(() => expect(server.sent("PUT /api/v1/contract-drafts/cver_1")).toHaveLength(2));
    const [, again] = server.sent("PUT /api/v1/contract-drafts/cver_1");
    expect(await again?.json()).toMatchObject({ text: mine, revision: 2 });
    await waitFor(() => expect(save.disabled).toBe(true));
    expect(await codeOf(TEXT)).toBe(mine);
  });

  it("tells nobody of their own saving where it is read before it is answered", async () => {
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    server.on("POST /api/v1/contracts/validation", () => [200, { readable: true, version: "2.0.0" }]);
    const saved = { ...draft, revision: 2, text: "name: transaction\nversion: 1.3.1\n" };
    const go = server.hold("PUT /api/v1/contract-drafts/cver_1", () => [200, saved]);
    const { router } = openApp("/contracts/drafts/cver_1");
    await writeCode("Text of the contract (YAML)", saved.text);
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
    await waitFor(() => expect(save.disabled).toBe(false));
    fireEvent.click(save);
    await waitFor(() => expect(server.sent("PUT /api/v1/contract-drafts/cver_1")).toHaveLength(1));
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, saved]);
    await router.options.context.client.invalidateQueries();
    // That is said of a draft of which nothing is unsaved.
    await screen.findByText(/It was not tried yet/);
    expect(screen.queryByText(/while you wrote/)).toBeNull();
    go();
    await screen.findByText(/The draft is saved/);
    expect(await codeOf("Text of the contract (YAML)")).toBe(saved.text);
  });

  it("gives way to what somebody else wrote where the writer takes it", async () => {
    const theirs = { ...draft, revision: 2, text: "name: transaction\nversion: 2.0.0\n" };
    server.on("GET /api/v1/contract-drafts/cver_1", () => [200, draft]);
    server.on("POST /api/v1/contracts/validation", () => [200, { readable: true, version: "2.0.0" }]);
    server.on("PUT /api/v1/contract-drafts/cver_1", () => {
      server.on("GET /api/v1/contract-drafts/cver_1", () => [200, theirs]);
      return problem(409, "Somebody has changed this draft. Load it again.");
    });
    openApp("/contracts/drafts/cver_1");
    await writeCode("Text of the contract (YAML)", "name: transaction\nversion: 1.3.1\n");
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    fireEvent.click(await screen.findByRole("button", { name: "Take theirs" }));
    await waitFor(async () => expect(await codeOf("Text of the contract (YAML)")).toBe(theirs.text));
  });

  it("finds the first word of a line", () => {
    expect(startOf("a\n  b: 1\n", 2)).toBe(4);
    expect(startOf("a", 9)).toBe(1);
  });
});
