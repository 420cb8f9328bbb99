import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { columns } from "../src/features/cases/caseColumns";
import { fitting, tracks } from "../src/shared/ui/grid";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { Server } from "./support/server";

function queue(open: number) {
  const server = new Server();
  server.me = { ...me, permissions: ["cases:read", "cases:work"] };
  server.on("GET /api/v1/cases", () => [200, { items: [], next: null, as_of: NOW }]);
  server.on("GET /api/v1/cases/summary", () => [
    200,
    { open, mine: 0, unassigned: open, overdue: 0, expected_loss_usd: "0.00", as_of: NOW },
  ]);
  openApp("/cases");
}

const button = (name: RegExp) => screen.findByRole<HTMLButtonElement>("button", { name });

describe("the queue of cases", () => {
  it("offers to take and to give out while a case is open", async () => {
    queue(2);
    await screen.findAllByRole("link", { name: "2" });
    expect((await button(/Take the next/)).disabled).toBe(false);
    expect((await button(/Give out/)).disabled).toBe(false);
  });

  it("offers neither when no case is", async () => {
    queue(0);
    await screen.findAllByRole("link", { name: "0" });
    expect((await button(/Take the next/)).disabled).toBe(true);
    expect((await button(/Give out/)).disabled).toBe(true);
  });
});

describe("the columns of the queue", () => {
  it.each([600, 719, 720, 768, 829, 830, 939, 940, 1040, 1170, 1600])(
    "have all the room that they need in a list of %i pixels",
    (width) => {
      const least = tracks(fitting(columns, width), true)
        .replace(/minmax\((\d+px),[^)]*\)/g, "$1")
        .split(" ")
        .reduce((sum, track) => sum + Number.parseInt(track, 10), 0);
      // A row keeps 6 pixels free on either side.
      expect(least + 12).toBeLessThanOrEqual(width);
    },
  );
});
