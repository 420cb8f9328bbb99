import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { alertOf, me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const PUT = "PUT /api/v1/cases/policy";
const content: Schema<"PolicyContent"> = {
  priority_from_usd: { urgent: 5000, high: 1000 },
  due_minutes: { urgent: 240, high: 1440, normal: 4320 },
  common: [{ id: "step_1", text: "Call the customer" }],
  checklists: { account_takeover: [], card: [], laundering: [], scam: [], general: [] },
};
const policy: Schema<"CasePolicyDocument"> = {
  version: 1,
  content,
  standard: content,
  changed_by: "Mei Tan",
  changed_at: NOW,
};
let server: Server;

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["cases:read", "cases:work", "cases:configure"] };
});

const stand = (now: typeof policy) => {
  server.on("GET /api/v1/cases/policy", () => [200, now]);
  return [200, now] as [number, unknown];
};

function emptyQueue() {
  server.on("GET /api/v1/cases", () => [200, { items: [], next: null, as_of: NOW }]);
  server.on("GET /api/v1/cases/summary", () => [
    200,
    { open: 0, mine: 0, unassigned: 0, overdue: 0, expected_loss_usd: "0.00", as_of: NOW },
  ]);
}

/** The settings of the queue, in their drawer. */
async function settings() {
  emptyQueue();
  stand(policy);
  openApp("/cases");
  fireEvent.click(await screen.findByRole("button", { name: "Queue settings" }));
  const drawer = within(await screen.findByRole("dialog"));
  const step = await drawer.findByLabelText<HTMLInputElement>("Every case: step 1");
  const urgent = drawer.getByLabelText<HTMLInputElement>(/^Urgent: from an expected loss/);
  const save = drawer.getByRole("button", { name: "Save" });
  return { drawer, step, urgent, save };
}

describe("the settings of the queue", () => {
  it("keep what is written while they are being saved, and stay open for it", async () => {
    const { step, urgent, save } = await settings();
    fireEvent.change(urgent, { target: { value: "6000" } });
    const saved = { ...content, priority_from_usd: { urgent: 6000, high: 1000 } };
    const go = server.hold(PUT, () => stand({ ...policy, version: 2, content: saved }));
    fireEvent.click(save);
    await waitFor(() => expect(server.sent(PUT)).toHaveLength(1));
    fireEvent.change(step, { target: { value: "Call the customer twice" } });
    go();
    await screen.findByText(/Version 2/);
    expect([step.value, urgent.value]).toEqual(["Call the customer twice", "6000"]);
    expect(screen.queryByText(/while you wrote/)).toBeNull();
    server.on(PUT, () => stand({ ...policy, version: 3 }));
    fireEvent.click(save);
    await waitFor(() => expect(server.sent(PUT)).toHaveLength(2));
    expect(await server.sent(PUT)[1]?.json()).toMatchObject({
      version: 2,
      content: { ...saved, common: [{ id: "step_1", text: "Call the customer twice" }] },
    });
    // Nothing is unsaved any more, so they close.
    await waitFor(() => expect(screen.queryByRole("button", { name: "Save" })).toBeNull());
  });

  it("keep what is written where a colleague was first, show theirs, and let the writer choose", async () => {
    const { step, urgent, save } = await settings();
    fireEvent.change(step, { target: { value: "Write to the customer" } });
    server.on(PUT, () => {
      stand({
        ...policy,
        version: 2,
        content: {
          ...content,
          priority_from_usd: { urgent: 9000, high: 1000 },
          due_minutes: { urgent: 60, high: 1440, normal: 4320 },
        },
      });
      return problem(409, "Somebody has changed it since.");
    });
    fireEvent.click(save);
    const notice = (await screen.findByText("Somebody changed the settings while you wrote")).closest(
      "[role=alert]",
    );
    expect(notice?.textContent).toContain("9,000 USD");
    expect(notice?.textContent).toContain("urgent 1 hour, high 1 day, normal 3 days");
    expect(notice?.textContent).not.toContain("Call the customer");
    expect(step.value).toBe("Write to the customer");
    // The notice shows what changed: a message that something did would say less, and stand over it.
    expect(screen.queryByText(/Somebody has changed it since/)).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Take theirs" }));
    await waitFor(() => expect(urgent.value).toBe("9000"));
    expect(screen.getByLabelText<HTMLInputElement>("Every case: step 1").value).toBe("Call the customer");
  });
});

const found: Schema<"CaseDocument"> = {
  id: "case_1",
  number: 7,
  version: 1,
  state: "open",
  priority: "high",
  typology: "card",
  subject_kind: "customer",
  subject: "cus-1",
  customer_id: "cus-1",
  account_id: "acc-1",
  team_id: null,
  assignee: "Mei Tan",
  assignee_id: me.user.id,
  alerts: 1,
  open_alerts: 1,
  alert_list: [alertOf(1)],
  actions: [],
  attachments: [],
  checklist: [],
  entries: [],
  judgements: [],
  amount_usd: alertOf(1).amount,
  expected_loss_usd: alertOf(1).amount,
  opened_at: NOW,
  due_at: NOW,
  last_alert_at: NOW,
  closed_at: null,
  closed_by: null,
  outcome: null,
};

describe("the note of a case", () => {
  beforeEach(() => {
    server.on("GET /api/v1/cases/case_1", () => [200, found]);
    server.on("GET /api/v1/cases/analysts", () => [200, []]);
  });

  it("stays where more is written of it while it is being kept", async () => {
    const path = "POST /api/v1/cases/case_1/notes";
    const { user } = openApp("/cases/case_1");
    const note = await screen.findByLabelText<HTMLTextAreaElement>("New note");
    await user.type(note, "She called back.");
    const go = server.hold(path, () => [201, found]);
    await user.keyboard("{Control>}{Enter}{/Control}");
    await waitFor(() => expect(server.sent(path)).toHaveLength(1));
    await user.type(note, " It was her son.");
    go();
    await screen.findByText("The note is kept.");
    expect(note.value).toBe("She called back. It was her son.");
    server.on(path, () => [201, found]);
    await user.click(screen.getByRole("button", { name: "Keep note" }));
    await waitFor(() => expect(note.value).toBe(""));
  });

  it("stays where its writer looks at another part of the case, or at the queue", async () => {
    emptyQueue();
    const { user, router } = openApp("/cases/case_1");
    const note = () => screen.findByLabelText<HTMLTextAreaElement>("New note");
    await user.type(await note(), "She called back.");
    await user.click(screen.getByRole("tab", { name: "History" }));
    await screen.findByRole("heading", { name: "Notes and history" });
    expect((await note()).value).toBe("She called back.");
    await user.click(screen.getByRole("link", { name: "Queue" }));
    await screen.findByRole("heading", { name: "Cases" });
    router.history.back();
    expect((await note()).value).toBe("She called back.");
  });

  it("is gone once it is kept, also where its writer left and came back before that", async () => {
    emptyQueue();
    const path = "POST /api/v1/cases/case_1/notes";
    const { user, router } = openApp("/cases/case_1");
    const note = () => screen.findByLabelText<HTMLTextAreaElement>("New note");
    await user.type(await note(), "She called back.");
    const go = server.hold(path, () => [201, found]);
    await user.keyboard("{Control>}{Enter}{/Control}");
    await waitFor(() => expect(server.sent(path)).toHaveLength(1));
    await user.click(screen.getByRole("link", { name: "Queue" }));
    await screen.findByRole("heading", { name: "Cases" });
    router.history.back();
    const again = await note();
    await user.type(again, "{Control>}{Enter}{/Control}");
    go();
    await screen.findByText("The note is kept.");
    await waitFor(() => expect(again.value).toBe(""));
    expect(server.sent(path)).toHaveLength(1);
  });

  it("holds its page when the session ends, also where its writer came back to it", async () => {
    emptyQueue();
    const { user, router, address } = openApp("/cases/case_1");
    const note = () => screen.findByLabelText<HTMLTextAreaElement>("New note");
    await user.type(await note(), "She called back.");
    await user.click(screen.getByRole("link", { name: "Queue" }));
    await screen.findByRole("heading", { name: "Cases" });
    router.history.back();
    await note();
    server.me = null;
    await user.click(screen.getByRole("tab", { name: "Timeline" }));
    await screen.findByText("Your session has ended");
    expect(address()).toContain("/cases/case_1");
    expect((await note()).value).toBe("She called back.");
  });
});
