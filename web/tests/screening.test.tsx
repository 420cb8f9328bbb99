import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { Server } from "./support/server";

const list: Schema<"ScreeningListView"> = {
  name: "un_security_council",
  kind: "sanctions",
  description: "",
  version: 1,
  entries: 700,
  author: "Mei Tan",
  created_at: NOW,
  loaded_at: NOW,
  sha256: "0".repeat(64),
  screened: true,
};
let server: Server;

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["screening:read", "screening:lists"] };
  const counts = { open: 0, unsure: 0, waiting: 0, match: 0, no_match: 0, gone: 0 };
  server.on("GET /api/v1/screening/hits", () => [200, { items: [], next: null, counts, as_of: NOW }]);
});

describe("screening without hits", () => {
  it("says that nobody is screened while no list has a file, and leads to the lists", async () => {
    server.on("GET /api/v1/screening/lists", () => [
      200,
      [{ ...list, version: 0, entries: 0, loaded_at: null }],
    ]);
    const { user, address } = openApp("/screening");
    await screen.findByText("Nobody is screened yet");
    await user.click(screen.getByRole("button", { name: "Set up a list" }));
    await waitFor(() => expect(address()).toBe("/screening?part=lists"));
    await screen.findByText("no file yet");
  });

  it("says that nobody waits once there is a list to find somebody on", async () => {
    server.on("GET /api/v1/screening/lists", () => [200, [list]]);
    openApp("/screening");
    await screen.findByText("Nobody waits for a judgement");
  });
});
