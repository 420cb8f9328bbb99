import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { Server } from "./support/server";

let server: Server;

beforeEach(() => {
  server = new Server();
});

function become(role: Schema<"Me">["user"]["role"], permissions: Schema<"Me">["permissions"]): void {
  server.me = { ...me, permissions, user: { ...me.user, role } };
}

describe("somebody whose role opens no page", () => {
  it("finds the way to what everybody has", async () => {
    become("customer", ["session:own"]);
    openApp("/");
    await screen.findByRole("heading", { name: `Welcome, ${me.user.name}` });
    const links = within(screen.getByRole("navigation")).getAllByRole("link");
    expect(links.map((link) => link.textContent)).toEqual(["Welcome", "Notifications", "Account security"]);
  });
});

describe("somebody who sees only what is assigned to them", () => {
  it("is told so where no alert is", async () => {
    become("customer_manager", ["alerts:read", "session:own"]);
    server.alerts = [];
    server.on("GET /api/v1/me/permissions", () => [
      200,
      {
        role: "customer_manager",
        permissions: { "alerts:read": "own", "session:own": "self" },
        data_classes: {},
      },
    ]);
    openApp("/fraud");
    await screen.findByText("No open alert is yours");
    expect(screen.queryByText(/to be confirmed or dismissed/)).toBeNull();
  });
});

describe("somebody who signs in", () => {
  it.each([
    ["data_engineer", ["rules:read", "contracts:write", "quality:read", "quality:manage"], "/quality"],
    ["auditor", ["alerts:read", "rules:read", "audit:read"], "/audit"],
    [
      "administrator",
      ["alerts:read", "security_alerts:read", "security_alerts:resolve", "audit:read"],
      "/security",
    ],
    ["customer_manager", ["alerts:read", "segments:read", "segments:write"], "/segments"],
    ["executive", ["performance:read", "segments:read", "pipeline:read"], "/performance"],
  ] as const)(
    "begins as %s with their own work, or else with the first page",
    async (role, granted, first) => {
      become(role, [...granted]);
      const { address } = openApp("/");
      await waitFor(() => expect(address()).toBe(first));
    },
  );
});

describe("somebody who only reads", () => {
  it("learns on the page Sources who adds one", async () => {
    become("executive", ["sources:read", "session:own"]);
    server.on("GET /api/v1/sources", () => [200, { items: [], as_of: NOW }]);
    openApp("/sources");
    expect((await screen.findByText(/A source is a folder/)).textContent).toContain(
      "Data engineers of your firm",
    );
    expect(screen.queryByRole("button", { name: /Add a source/ })).toBeNull();
  });
});
