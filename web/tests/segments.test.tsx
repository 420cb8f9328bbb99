import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { codeOf, writeCode } from "./support/code";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const size: Schema<"SegmentSize"> = {
  people: 1240,
  customers: 8000,
  few: false,
  exact: false,
  counted_at: NOW,
  version: 2,
  problem: "",
};
const segment: Schema<"SegmentDocument"> = {
  id: "seg_1",
  name: "Young savers",
  description: "For the account that has no fee.",
  condition: "age < 30",
  owner_name: "Farid",
  version: 2,
  archived: false,
  created_at: NOW,
  changed_at: NOW,
  size,
  problem: "",
};
const gone = "The segment reads a field that the contract customer_profile has no more: town.";
let server: Server;

const hold = (...items: (typeof segment)[]) => server.on("GET /api/v1/segments", () => [200, { items }]);
const open = (one: typeof segment) =>
  server.on("GET /api/v1/segments/seg_1", () => [
    200,
    {
      segment: one,
      assessment: { usable: true, reading: "the age in years is below 30", steps: 3, steps_max: 400 },
      reads: ["date_of_birth"],
      days: [{ day: "2026-11-20", size }],
    },
  ]);

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["segments:read", "segments:write"] };
  server.on("GET /api/v1/segments/vocabulary", () => [200, { columns: [], functions: [] }]);
  server.on("POST /api/v1/segments/validation", () => [
    200,
    { usable: true, reading: "the age in years is below 30", steps: 3, steps_max: 400 },
  ]);
});

/** Name the segment "Mine" and save it, after somebody else has named it "Theirs". */
async function saveOverTheirs(): Promise<void> {
  open(segment);
  server.on("PUT /api/v1/segments/seg_1", () => {
    open({ ...segment, name: "Theirs", version: 3 });
    return problem(409, "Somebody changed the segment since you opened it.");
  });
  openApp("/segments/seg_1");
  fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "Mine" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
}

describe("segments", () => {
  it("stand with how many they are, as far as the person may know it, and with what is wrong", async () => {
    hold(
      segment,
      { ...segment, id: "seg_2", name: "A few", size: { ...size, people: null, few: true } },
      { ...segment, id: "seg_3", name: "Broken", problem: gone },
      { ...segment, id: "seg_4", name: "Just saved", version: 3 },
    );
    openApp("/segments");
    const row = async (name: string) => (await screen.findByRole("link", { name })).closest("tr");
    expect((await row("Young savers"))?.textContent).toContain("about 1,240");
    expect((await row("Young savers"))?.textContent).toContain("16 %");
    expect((await row("A few"))?.textContent).toContain("fewer than 10");
    expect((await row("Broken"))?.textContent).toContain(gone);
    expect((await row("Just saved"))?.textContent).toContain("being counted");
  });

  it("are explained where there are none, with a way to the first one for who may make it", async () => {
    hold();
    const { user, address } = openApp("/segments");
    const make = await screen.findByRole("button", { name: "New segment" });
    expect(screen.getByText("No segments yet")).toBeTruthy();
    await user.click(make);
    await waitFor(() => expect(address()).toBe("/segments/new"));
  });

  it("say who makes the first one to whoever may not", async () => {
    server.me = { ...me, permissions: ["segments:read"] };
    hold();
    openApp("/segments");
    await screen.findByText(/Customer managers and marketing managers of your firm make one here/);
    expect(screen.queryByRole("button", { name: "New segment" })).toBeNull();
  });

  it("show people only to who may see them, and only once they ask", async () => {
    open(segment);
    openApp("/segments/seg_1");
    await screen.findByText(/Everybody of whom the age in years is below 30/);
    expect(screen.queryByRole("button", { name: "Show people" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    expect((await screen.findByRole("alert")).textContent).toBe("Nothing is changed yet.");
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: " " } });
    expect(screen.getByRole("alert").textContent).toBe("Give the segment a name.");
  });

  it("are read by who may not write them, and show who is in them", async () => {
    server.me = { ...me, permissions: ["segments:read", "segments:members"] };
    open(segment);
    server.on("GET /api/v1/segments/seg_1/members", () => [
      200,
      { columns: [{ name: "customer_id", shown: "token" }], items: [["****0001~ab"]], next: null },
    ]);
    openApp("/segments/seg_1");
    fireEvent.click(await screen.findByRole("button", { name: "Show people" }));
    const people = screen.getByRole("region", { name: "Who is in it" });
    await within(people).findByText("****0001~ab");
    expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
  });

  it("keep what was written when somebody else was first, show theirs, and let the writer choose", async () => {
    open(segment);
    server.on("PUT /api/v1/segments/seg_1", () => {
      open({ ...segment, name: "Theirs", version: 3 });
      return problem(409, "Somebody changed the segment since you opened it.");
    });
    openApp("/segments/seg_1");
    const name = await screen.findByLabelText<HTMLInputElement>("Name");
    fireEvent.change(name, { target: { value: "Savers below 30" } });
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
    await waitFor(() => expect(save.disabled).toBe(false));
    fireEvent.click(save);
    const notice = await screen.findByRole("alert");
    expect(notice.textContent).toContain("NameTheirs");
    // What is as it was is not told, and nothing is said beside it that would lose what was written.
    expect(notice.textContent).not.toContain("age < 30");
    expect(screen.queryByText(/since you opened it/)).toBeNull();
    expect(name.value).toBe("Savers below 30");
    server.on("PUT /api/v1/segments/seg_1", () => {
      const mine = { ...segment, name: "Savers below 30", version: 4 };
      open(mine);
      return [200, { segment: mine, reads: [], days: [] }];
    });
    fireEvent.click(screen.getByRole("button", { name: "Keep mine" }));
    expect(screen.queryByRole("alert")).toBeNull();
    fireEvent.click(save);
    await screen.findByRole("heading", { name: "Savers below 30" });
    const [, again] = server.sent("PUT /api/v1/segments/seg_1");
    expect(await again?.json()).toMatchObject({ name: "Savers below 30", version: 3 });
    expect(screen.queryByText(/while you wrote/)).toBeNull();
  });

  it("wait, covered, where the session has ended when they are saved, and are saved once the writer is back", async () => {
    open(segment);
    openApp("/segments/seg_1");
    fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "Mine" } });
    const { me: writer } = server;
    server.me = null;
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("Your session has ended");
    server.me = writer;
    server.on("PUT /api/v1/segments/seg_1", () => [
      200,
      { segment: { ...segment, name: "Mine", version: 3 }, reads: [], days: [] },
    ]);
    window.dispatchEvent(new Event("focus"));
    await waitFor(() => expect(screen.queryByText("Your session has ended")).toBeNull());
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Mine");
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByRole("heading", { name: "Mine" });
  });

  it("keep what is written while they are being saved, and count it as unsaved", async () => {
    open(segment);
    openApp("/segments/seg_1");
    const name = await screen.findByLabelText<HTMLInputElement>("Name");
    await writeCode("Condition", "age < 25");
    fireEvent.change(name, { target: { value: "Mine" } });
    const saved = { ...segment, name: "Mine", condition: "age < 25", version: 3 };
    const go = server.hold("PUT /api/v1/segments/seg_1", () => [
      200,
      { segment: saved, reads: [], days: [] },
    ]);
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.sent("PUT /api/v1/segments/seg_1")).toHaveLength(1));
    fireEvent.change(name, { target: { value: "Mine, too" } });
    await writeCode("Condition", "age < 26");
    go();
    await screen.findByRole("heading", { name: "Mine" });
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Mine, too");
    expect(await codeOf("Condition")).toBe("age < 26");
    expect(screen.queryByText(/while you wrote/)).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.sent("PUT /api/v1/segments/seg_1")).toHaveLength(2));
    const [, again] = server.sent("PUT /api/v1/segments/seg_1");
    expect(await again?.json()).toMatchObject({ name: "Mine, too", condition: "age < 26", version: 3 });
  });

  it("keep what is written while they are being made", async () => {
    const { address } = openApp("/segments/new");
    const name = await screen.findByLabelText<HTMLInputElement>("Name");
    fireEvent.change(name, { target: { value: "Mine" } });
    await writeCode("Condition", "age < 30");
    const made = { ...segment, name: "Mine", version: 1 };
    const go = server.hold("POST /api/v1/segments", () => [200, { segment: made, reads: [], days: [] }]);
    open(made);
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.sent("POST /api/v1/segments")).toHaveLength(1));
    fireEvent.change(name, { target: { value: "Mine, too" } });
    go();
    await waitFor(() => expect(address()).toBe("/segments/seg_1"));
    await screen.findByRole("heading", { name: "Mine" });
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Mine, too");
    expect(screen.queryByText(/while you wrote/)).toBeNull();
  });

  it("give way to what somebody else wrote where the writer takes it", async () => {
    await saveOverTheirs();
    fireEvent.click(await screen.findByRole("button", { name: "Take theirs" }));
    await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Theirs"));
  });

  it("are put away as somebody else left them, not as they were before", async () => {
    await saveOverTheirs();
    fireEvent.click(await screen.findByRole("button", { name: "Keep mine" }));
    fireEvent.click(screen.getByRole("button", { name: "Archive" }));
    await waitFor(() => expect(server.sent("PUT /api/v1/segments/seg_1")).toHaveLength(2));
    const [, again] = server.sent("PUT /api/v1/segments/seg_1");
    expect(await again?.json()).toMatchObject({ name: "Theirs", archived: true, version: 3 });
  });
});
