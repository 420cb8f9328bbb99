import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { codeOf, writeCode } from "./support/code";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const live: Schema<"RuleVersionView"> = {
  id: "rlv_1",
  rule: "large_cash",
  version: 1,
  revision: 1,
  state: "live",
  text: {
    title: "Large cash",
    condition: "amount_usd > 800",
    action: "review",
    severity: "medium",
    reason: "More cash than usual.",
    owner: "",
    brake: null,
  },
  author: "Mei Tan",
  approved_by: "",
  note: "",
  price: null,
  demotion: "",
  created_at: NOW,
  updated_at: NOW,
  shadow_at: NOW,
  live_at: NOW,
  retired_at: null,
  demoted_at: null,
};
const draft: Schema<"RuleVersionView"> = { ...live, id: "rlv_2", version: 2, state: "draft" };
const price = {
  state: "done",
  revision: 1,
  since: NOW,
  as_of: NOW,
  events: 100,
  hits: 4,
} as Schema<"Price">;

function open() {
  const server = new Server();
  const tell = (...versions: Schema<"RuleVersionView">[]) =>
    server.on("GET /api/v1/rules/large_cash", () => [
      200,
      { rule: "large_cash", versions, hours: [], confirmed: 0, dismissed: 0, open: 0, as_of: NOW },
    ]);
  server.me = { ...me, permissions: ["rules:read", "rules:write"] };
  server.on("GET /api/v1/rules/vocabulary", () => [200, { columns: [], functions: [] }]);
  server.on("POST /api/v1/rules/validation", () => [200, { usable: true, reading: "", problems: [] }]);
  tell(live, draft);
  openApp("/rules/large_cash");
  return { server, tell };
}

describe("a draft of a rule", () => {
  it("that a colleague discards while somebody writes in it is kept, and saved as one of the next version", async () => {
    const { server, tell } = open();
    const title = await screen.findByLabelText<HTMLInputElement>("Title");
    fireEvent.change(title, { target: { value: "Much cash" } });
    server.on("PUT /api/v1/rule-versions/rlv_2", () => {
      tell(live);
      return problem(404, "There is no such version.");
    });
    fireEvent.click(screen.getByRole("button", { name: "Save the draft" }));
    fireEvent.click(await screen.findByRole("button", { name: "Keep mine" }));
    expect(title.value).toBe("Much cash");
    server.on("POST /api/v1/rule-versions", () => {
      const mine = { ...draft, id: "rlv_3", text: { ...draft.text, title: "Much cash" } };
      tell(live, mine);
      return [200, mine];
    });
    fireEvent.click(screen.getByRole("button", { name: "Save the draft" }));
    await screen.findByRole("heading", { name: "Much cash" });
    const [sent] = server.sent("POST /api/v1/rule-versions");
    expect(await sent?.json()).toMatchObject({ rule: "large_cash", text: { title: "Much cash" } });
    await waitFor(() => expect(screen.queryByRole("button", { name: "Keep mine" })).toBeNull());
  });

  it("shows each part that a colleague changed of it, and the one that saves over theirs chooses to", async () => {
    const { server, tell } = open();
    fireEvent.change(await screen.findByLabelText("Title"), { target: { value: "Much cash" } });
    server.on("PUT /api/v1/rule-versions/rlv_2", () => {
      tell(live, { ...draft, revision: 5, text: { ...draft.text, action: "block" } });
      return problem(409, "Somebody has changed this rule. Load it again.");
    });
    fireEvent.click(screen.getByRole("button", { name: "Save the draft" }));
    const notice = await screen.findByText("Somebody changed the rule while you wrote");
    expect(notice.closest("[role=alert]")?.textContent).toContain("Actionblock");
    expect(screen.queryByText(/Load it again/)).toBeNull();
    server.on("PUT /api/v1/rule-versions/rlv_2", () => [200, { ...draft, revision: 6 }]);
    fireEvent.click(screen.getByRole("button", { name: "Keep mine" }));
    fireEvent.click(screen.getByRole("button", { name: "Save the draft" }));
    await waitFor(() => expect(server.sent("PUT /api/v1/rule-versions/rlv_2")).toHaveLength(2));
    const [, again] = server.sent("PUT /api/v1/rule-versions/rlv_2");
    expect(await again?.json()).toMatchObject({ revision: 5 });
  });

  it("keeps what is written while it is being saved, and counts it as unsaved", async () => {
    const { server, tell } = open();
    const title = await screen.findByLabelText<HTMLInputElement>("Title");
    await writeCode("Condition", "amount_usd > 900");
    fireEvent.change(title, { target: { value: "Much cash" } });
    const text = { ...draft.text, title: "Much cash", condition: "amount_usd > 900" };
    const go = server.hold("PUT /api/v1/rule-versions/rlv_2", () => {
      tell(live, { ...draft, revision: 2, text });
      return [200, { ...draft, revision: 2, text }];
    });
    fireEvent.click(screen.getByRole("button", { name: "Save the draft" }));
    await waitFor(() => expect(server.sent("PUT /api/v1/rule-versions/rlv_2")).toHaveLength(1));
    await writeCode("Condition", "amount_usd > 950");
    go();
    await screen.findByRole("heading", { name: "Much cash" });
    expect(await codeOf("Condition")).toBe("amount_usd > 950");
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save the draft" });
    await waitFor(() => expect(save.disabled).toBe(false));
    expect(screen.queryByText(/while you wrote/)).toBeNull();
    fireEvent.click(save);
    await waitFor(() => expect(server.sent("PUT /api/v1/rule-versions/rlv_2")).toHaveLength(2));
    const [, again] = server.sent("PUT /api/v1/rule-versions/rlv_2");
    expect(await again?.json()).toMatchObject({ revision: 2, text: { condition: "amount_usd > 950" } });
  });

  it("is priced and tried as it is saved, which is said where something else is written", async () => {
    const { tell } = open();
    tell(live, { ...draft, price });
    const title = await screen.findByLabelText<HTMLInputElement>("Title");
    const button = (name: RegExp) => screen.findByRole<HTMLButtonElement>("button", { name });
    const old = () => screen.queryByText(/price of what was saved before/);
    expect((await button(/^Try in shadow/)).disabled).toBe(false);
    expect(old()).toBeNull();
    fireEvent.change(title, { target: { value: "Much cash" } });
    expect(old()).not.toBeNull();
    expect((await button(/^Price again/)).disabled).toBe(true);
    expect((await button(/^Try in shadow/)).disabled).toBe(true);
  });

  it("that was saved since it was priced shows whose price stands there", async () => {
    const { tell } = open();
    tell(live, { ...draft, revision: 2, price });
    await screen.findByText(/price of what was saved before/);
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Price again" }).disabled).toBe(false);
  });
});
