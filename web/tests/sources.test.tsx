import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const source: Schema<"SourceView"> = {
  id: "src_1",
  name: "Branch files",
  kind: "folder",
  contract: "transaction",
  connection: { type: "folder", folder: "/srv/in", pattern: "*.csv" } as Schema<"SourceView">["connection"],
  mapping: "",
  state: "failing",
  error: "The folder is not there.",
  failures: 3,
  next_try_at: NOW,
  lag: 2,
  lag_unit: "files",
  last_record_at: NOW,
  received: 100,
  accepted: 90,
  quarantined: 10,
  minutes: [],
  made_by: "Budi",
  created_at: NOW,
  changed_at: NOW,
};

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["sources:read", "sources:write"] };
  server.on("GET /api/v1/sources", () => [200, { items: [source] }]);
  server.on("GET /api/v1/sources/src_1/items", () => [200, { items: [], next: null }]);
  server.on("GET /api/v1/sources/src_1/history", () => [200, { items: [] }]);
});

describe("the sources page", () => {
  it("says what fails and why, and tries it again", async () => {
    server.on("POST /api/v1/sources/src_1/resuming", () => [200, { ...source, state: "running" }]);
    const { user } = openApp("/sources");
    const list = await screen.findByRole("list", { name: "Sources" });
    within(list).getByText("The folder is not there.");
    expect(within(list).getByText("valid").parentElement?.textContent).toBe("90valid");
    await user.click(within(list).getByRole("button", { name: "Try now" }));
    await waitFor(() => expect(server.sent("POST /api/v1/sources/src_1/resuming")).toHaveLength(1));
  });

  it("says what a source is before there is one, and offers none to who only looks", async () => {
    server.me = { ...me, permissions: ["sources:read"] };
    server.on("GET /api/v1/sources", () => [200, { items: [] }]);
    openApp("/sources");
    await screen.findByText("Nothing is read by itself yet");
    expect(screen.queryByRole("button", { name: "Add a source" })).toBeNull();
  });

  it("says that a source is gone", async () => {
    openApp("/sources/src_2");
    await screen.findByText("There is no such source");
  });

  it("says which settings lack before it tries or adds a source, and keeps what was filled in", async () => {
    server.on("POST /api/v1/sources/trials", () => problem(422, "The folder is not open to the firm."));
    server.on("POST /api/v1/sources", () => [201, { source, address: null }]);
    const { user } = openApp("/sources");
    await user.click(await screen.findByRole("button", { name: "Add a source" }));
    await user.click(await screen.findByRole("button", { name: /^Folder/ }));
    await user.click(screen.getByRole("button", { name: "Test connection" }));
    await screen.findByText("Folder is missing.");
    expect(screen.queryByText(/what the source is called/)).toBeNull();
    await user.type(screen.getByLabelText("Folder"), "/srv/in");
    await user.click(screen.getByRole("button", { name: "Test connection" }));
    await screen.findByText("The folder is not open to the firm.");
    await user.click(screen.getByRole("button", { name: "Add source" }));
    await screen.findByText(/what the source is called/);
    await user.type(screen.getByLabelText("Name"), "Branch files");
    expect(screen.queryByText("The folder is not open to the firm.")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Add source" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Add source" })).toBeNull());
    const [sent, ...more] = server.sent("POST /api/v1/sources");
    expect(more).toEqual([]);
    expect(await sent?.json()).toEqual({
      name: "Branch files",
      paused: false,
      contract: "transaction",
      mapping: "",
      connection: { type: "folder", folder: "/srv/in", pattern: "*", settle_s: 5 },
    });
  });

  it("says what of a source could not be loaded, and tries that again alone", async () => {
    let away = true;
    server.me = { ...me, permissions: ["sources:read", "receipts:read"] };
    server.on("GET /api/v1/sources/src_1/items", () =>
      away ? problem(503, "The files are away.") : [200, { items: [], next: null }],
    );
    server.on("GET /api/v1/receipts", () => problem(503, "The receipts are away."));
    const { user } = openApp("/sources/src_1");
    const dialog = await screen.findByRole("dialog");
    const failed = (await within(dialog).findByText("The files are away.")).closest("[role=alert]");
    within(dialog).getByText("The receipts could not be loaded");
    away = false;
    await user.click(within(failed as HTMLElement).getByRole("button", { name: "Try again" }));
    await within(dialog).findByText("None yet.");
    within(dialog).getByText("The receipts are away.");
  });

  it("says why the list could not be loaded, and lets it stand", async () => {
    server.on("GET /api/v1/sources", () => problem(503, "The database is away."));
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      openApp("/sources");
      await screen.findByText("The database is away.");
      const asked = server.sent("GET /api/v1/sources").length;
      await act(() => vi.advanceTimersByTimeAsync(10_000));
      expect(server.sent("GET /api/v1/sources")).toHaveLength(asked);
      screen.getByText("The database is away.");
    } finally {
      vi.useRealTimers();
    }
  });
});
