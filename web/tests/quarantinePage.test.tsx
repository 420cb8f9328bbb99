import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { codeOf, writeCode } from "./support/code";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const RECORD = "qua_00000000000000000000000000000001";
const RECEIPT = "rct_00000000000000000000000000000001";
const ACT = "act_00000000000000000000000000000001";
const AT = "/quarantine?contract=order&field=quantity&rule=range";

const cause: Schema<"QuarantineCause"> = {
  contract: "order",
  field: "quantity",
  rule: "range",
  records: 1200,
  edited: 40,
  ready: 30,
  example: "quantity is -4; it must be more than 0.",
};

const error: Schema<"FieldError"> = {
  field: "quantity",
  rule: "range",
  data_class: "internal",
  value: "-4",
  reason: "quantity is -4; it must be more than 0.",
};

const record: Schema<"QuarantinedRecord"> = {
  id: RECORD,
  receipt_id: RECEIPT,
  contract: "order",
  line: 7,
  state: "open",
  errors: [error],
  remaining: null,
  raw: null,
  raw_bytes: 90,
  received_at: NOW,
  changed_at: null,
  act_id: null,
};

const detail: Schema<"QuarantinedDetail"> = {
  ...record,
  fields: [
    { name: "event_id", data_class: "internal", value: "e1", edited: false },
    { name: "quantity", data_class: "internal", value: "-4", edited: false },
  ],
};

const act: Schema<"QuarantineAct"> = {
  id: ACT,
  kind: "discard",
  state: "done",
  contract: "order",
  assignments: [],
  reason: "Sent twice by mistake.",
  matched: 1200,
  done: 1200,
  changed: 1200,
  failed: [],
  error: "",
  actor_id: "1",
  actor_name: "Dana Cruz",
  created_at: NOW,
  finished_at: NOW,
};

beforeEach(() => {
  server = new Server();
  server.me = {
    ...me,
    permissions: ["quarantine:read", "quarantine:edit", "quarantine:release", "quarantine:reveal"],
  };
  server.on("GET /api/v1/quarantine/causes", () => [200, { items: [cause] }]);
  server.on("GET /api/v1/quarantine/acts", () => [200, { items: [act], next: null }]);
  server.on(`GET /api/v1/quarantine/acts/${ACT}`, () => [200, act]);
  server.on("GET /api/v1/quarantine", () => [200, { items: [record], next: null }]);
  server.on(`GET /api/v1/quarantine/${RECORD}`, () => [200, detail]);
});

describe("the quarantine page", () => {
  it("shows causes, and tries a change with its counts before it is carried out", async () => {
    server.on("POST /api/v1/quarantine/preview", () => [
      200,
      {
        matched: 1200,
        looked_at: 1000,
        changed: 990,
        passing: 980,
        failed: [{ field: "currency", rule: "pattern", records: 10 }],
        examples: [
          {
            id: RECORD,
            remaining: [],
            differences: [{ field: "quantity", data_class: "internal", before: "-4", after: "4" }],
          },
        ],
      },
    ]);
    server.on("POST /api/v1/quarantine/edits", () => [
      201,
      { ...act, kind: "edit", state: "running", done: 20 },
    ]);
    const { user } = openApp("/quarantine");
    await user.click(await screen.findByRole("button", { name: /Orders · quantity · range/ }));
    const form = await screen.findByRole("form", { name: "Change by expression" });
    expect(within(form).getByRole<HTMLInputElement>("textbox", { name: "Field" }).value).toBe("quantity");
    await user.type(within(form).getByRole("textbox", { name: "Expression" }), "abs(quantity)");
    await user.click(within(form).getByRole("button", { name: "Try" }));
    const outcome = await within(form).findByRole("region", { name: "What the change would do" });
    within(outcome).getByText("990");
    within(outcome).getByText("980");
    within(outcome).getByText(/10 still break/);
    await user.click(within(form).getByRole("button", { name: "Change 1,200 records" }));
    await screen.findByText("1,200 records: under way.");
  });

  it("says why an expression cannot be used, and keeps it", async () => {
    server.on("POST /api/v1/quarantine/preview", () => problem(422, "Order has no field 'quantty'."));
    const { user } = openApp(AT);
    const form = await screen.findByRole("form", { name: "Change by expression" });
    await user.type(within(form).getByRole("textbox", { name: "Expression" }), "1");
    await user.click(within(form).getByRole("button", { name: "Try" }));
    await within(form).findByText("Order has no field 'quantty'.");
    expect(within(form).getByRole<HTMLInputElement>("textbox", { name: "Expression" }).value).toBe("1");
  });

  it("opens the act of the address and puts its discarded records back", async () => {
    const { user } = openApp(`/quarantine?act=${ACT}`);
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText("Sent twice by mistake.");
    server.on("POST /api/v1/quarantine/undos", () => [201, { ...act, kind: "undo" }]);
    await user.click(within(drawer).getByRole("button", { name: "Put these records back" }));
    await user.click(await screen.findByRole("button", { name: "Put back" }));
    await screen.findByText("1,200 put back.");
    const [sent] = server.sent("POST /api/v1/quarantine/undos");
    expect(await sent?.json()).toMatchObject({ selection: { act: ACT, state: "discarded" } });
  });

  it("stops what is under way", async () => {
    server.on(`GET /api/v1/quarantine/acts/${ACT}`, () => [
      200,
      { ...act, kind: "release", state: "running", done: 300, finished_at: null },
    ]);
    server.on(`POST /api/v1/quarantine/acts/${ACT}/cancel`, () => [200, { ...act, state: "running" }]);
    const { user } = openApp(`/quarantine?act=${ACT}`);
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText(/300 of 1,200 looked at/);
    await user.click(within(drawer).getByRole("button", { name: "Stop" }));
    await screen.findByText(/It stops after the records that it is at/);
  });

  it("shows what was sent for a reason only", async () => {
    server.on(`POST /api/v1/quarantine/${RECORD}/reveal`, () => [200, { raw: '{"quantity": -4}', left: 49 }]);
    const { user } = openApp(`${AT}&record=${RECORD}`);
    const drawer = await screen.findByRole("dialog");
    await user.click(await within(drawer).findByRole("button", { name: "Show what was sent" }));
    const ok = await screen.findByRole("button", { name: "Show" });
    await user.click(ok);
    await screen.findByText("Say why: the audit trail keeps it.");
    expect(server.sent(`POST /api/v1/quarantine/${RECORD}/reveal`)).toEqual([]);
    await user.type(screen.getByLabelText("Why"), "The sender asked us.");
    await user.click(ok);
    await within(drawer).findByText('{"quantity": -4}');
  });

  it("keeps a record that is being written anew where what was sent is shown meanwhile", async () => {
    server.on(`POST /api/v1/quarantine/${RECORD}/check`, () => [200, { remaining: [] }]);
    server.on(`POST /api/v1/quarantine/${RECORD}/reveal`, () => [200, { raw: '{"quantity": -4}', left: 49 }]);
    const { user } = openApp(`${AT}&record=${RECORD}`);
    const drawer = within(await screen.findByRole("dialog"));
    await user.click(await drawer.findByRole("button", { name: "Write it anew" }));
    await writeCode("The record as JSON", '{"quantity": 7}');
    await user.click(drawer.getByRole("button", { name: "Show what was sent" }));
    await user.type(await screen.findByLabelText("Why"), "The sender asked us.");
    await user.click(screen.getByRole("button", { name: "Show" }));
    await drawer.findByText('{"quantity": -4}');
    expect(await codeOf("The record as JSON")).toBe('{"quantity": 7}');
  });

  it("checks new values while they are written, and keeps them", async () => {
    server.on(`POST /api/v1/quarantine/${RECORD}/check`, () => [200, { remaining: [] }]);
    const put = `PUT /api/v1/quarantine/${RECORD}`;
    server.on(put, () => [200, { ...detail, state: "edited", remaining: [], changed_at: NOW }]);
    const { user } = openApp(`${AT}&record=${RECORD}`);
    const drawer = await screen.findByRole("dialog");
    await user.type(await within(drawer).findByLabelText("quantity"), "4");
    await within(drawer).findByText("It keeps its contract");
    await user.click(within(drawer).getByRole("button", { name: "Keep the change" }));
    await waitFor(() => expect(server.sent(put)).toHaveLength(1));
    expect(await server.sent(put)[0]?.json()).toEqual({ changes: { quantity: "4" }, record: null });
  });

  it("keeps a value that is written while others are being kept, and one while a colleague changes the record", async () => {
    server.on(`POST /api/v1/quarantine/${RECORD}/check`, () => [200, { remaining: [] }]);
    const put = `PUT /api/v1/quarantine/${RECORD}`;
    const values = (event: string, quantity: string) => [
      { name: "event_id", data_class: "internal", value: event, edited: true },
      { name: "quantity", data_class: "internal", value: quantity, edited: true },
    ];
    const stand = (change: object) => {
      const now = { ...detail, state: "edited", ...change };
      server.on(`GET /api/v1/quarantine/${RECORD}`, () => [200, now]);
      return [200, now] as [number, unknown];
    };
    const go = server.hold(put, () =>
      stand({ changed_at: NOW, fields: values("e1", "4"), remaining: [error] }),
    );
    const { user, router } = openApp(`${AT}&record=${RECORD}`);
    const drawer = await screen.findByRole("dialog");
    const field = (name: string) => within(drawer).getByLabelText<HTMLInputElement>(name);
    await user.type(await within(drawer).findByLabelText("quantity"), "4");
    await user.click(within(drawer).getByRole("button", { name: "Keep the change" }));
    await waitFor(() => expect(server.sent(put)).toHaveLength(1));
    await user.type(field("event_id"), "e2");
    go();
    await waitFor(() => expect(field("quantity").placeholder).toBe("4"));
    expect([field("quantity").value, field("event_id").value]).toEqual(["", "e2"]);
    stand({ changed_at: "2026-11-20T06:05:00Z", fields: values("e1", "5"), remaining: [] });
    await router.options.context.client.invalidateQueries({ queryKey: ["quarantine"] });
    await waitFor(() => expect(field("quantity").placeholder).toBe("5"));
    expect(field("event_id").value).toBe("e2");
    server.on(put, () =>
      stand({ changed_at: "2026-11-20T06:06:00Z", fields: values("e2", "5"), remaining: [] }),
    );
    await user.click(within(drawer).getByRole("button", { name: "Keep the change" }));
    await waitFor(() => expect(server.sent(put)).toHaveLength(2));
    expect(await server.sent(put)[1]?.json()).toEqual({ changes: { event_id: "e2" }, record: null });
    await waitFor(() => expect(field("event_id").placeholder).toBe("e2"));
    expect(field("event_id").value).toBe("");
  });

  it("says why a change was not kept, also where more was written since", async () => {
    server.on(`POST /api/v1/quarantine/${RECORD}/check`, () => [200, { remaining: [] }]);
    const put = `PUT /api/v1/quarantine/${RECORD}`;
    const refuse = server.hold(put, () => problem(409, "Somebody is releasing it."));
    const { user } = openApp(`${AT}&record=${RECORD}`);
    const drawer = within(await screen.findByRole("dialog"));
    await user.type(await drawer.findByLabelText("quantity"), "4");
    await user.click(drawer.getByRole("button", { name: "Keep the change" }));
    await waitFor(() => expect(server.sent(put)).toHaveLength(1));
    await user.type(drawer.getByLabelText("event_id"), "e2");
    refuse();
    await drawer.findByText("Somebody is releasing it.");
    await user.type(drawer.getByLabelText("event_id"), "3");
    expect(drawer.queryByText("Somebody is releasing it.")).toBeNull();
  });

  it("says that nothing waits, and that causes cannot be loaded", async () => {
    server.on("GET /api/v1/quarantine/causes", () => [200, { items: [] }]);
    const { user } = openApp("/quarantine");
    await screen.findByText("Nothing is quarantined");
    server.on("GET /api/v1/quarantine/causes", () => problem(503, "The database is away."));
    await user.click(screen.getByRole("button", { name: "Refresh" }));
    openApp("/quarantine?text=other");
    await screen.findByText("The database is away.");
  });

  it("offers nothing to those who may only look", async () => {
    server.me = { ...me, permissions: ["quarantine:read"] };
    openApp(AT);
    await screen.findByText("Orders · quantity · range", { selector: "h2" });
    await screen.findByText(/quantity is -4/, { selector: ".cut" });
    expect(screen.queryByRole("button", { name: "Release all" })).toBeNull();
    expect(screen.queryByRole("form", { name: "Change by expression" })).toBeNull();
  });
});
