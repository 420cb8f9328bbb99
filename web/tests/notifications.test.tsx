import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { NOW, noNotifications } from "./support/data";
import { FakeEventSource } from "./support/eventSource";
import { problem, Server } from "./support/server";

let server: Server;
let items: Schema<"Notification">[];

function notification(n: number, change: Partial<Schema<"Notification">> = {}): Schema<"Notification"> {
  return {
    id: `ntf_${n.toString(16).padStart(32, "0")}`,
    sequence: n,
    kind: "jobs.failing",
    severity: "warning",
    title: `Job ${n} fails`,
    text: "It failed 3 times in a row.",
    link: "/pipeline?tab=receipts",
    count: 3,
    first_at: NOW,
    last_at: NOW,
    settled_at: null,
    read: false,
    ...change,
  };
}

beforeEach(() => {
  server = new Server();
  server.alerts = [];
  items = [notification(1)];
  server.on("GET /api/v1/notifications", () => {
    const total = items.filter((one) => !one.read).length;
    return [200, { ...noNotifications, items, unread: { ...noNotifications.unread, total, warning: total } }];
  });
  server.on(`POST /api/v1/notifications/${notification(1).id}/read`, () => {
    items = [{ ...notification(1), read: true }];
    return [200, noNotifications.unread];
  });
});

describe("the bell", () => {
  it("shows what is unread, and reads one", async () => {
    const { user } = openApp("/pipeline");
    await user.click(await screen.findByRole("button", { name: "Notifications: 1 unread" }));
    await user.click(await screen.findByRole("button", { name: "Mark as read: Job 1 fails" }));
    await screen.findByRole("button", { name: "Notifications" });
  });

  it("leads to what it is about, and has read it then", async () => {
    const { user, address } = openApp("/fraud");
    await user.click(await screen.findByRole("button", { name: "Notifications: 1 unread" }));
    await user.click(await screen.findByRole("link", { name: /Job 1 fails/ }));
    await waitFor(() => expect(address()).toBe("/pipeline?tab=receipts"));
    await screen.findByRole("button", { name: "Notifications" });
  });

  it("hears of new ones", async () => {
    items = [];
    const { user } = openApp("/pipeline");
    await user.click(await screen.findByRole("button", { name: "Notifications" }));
    await screen.findByText("Nothing needs your attention.");
    items = [notification(2)];
    act(() => FakeEventSource.at("/api/v1/notifications/stream").send("notification", notification(2)));
    await screen.findByRole("button", { name: "Notifications: 1 unread" });
  });
});

describe("the notifications page", () => {
  it("lists them with their state", async () => {
    items = [notification(2, { settled_at: NOW, read: true }), notification(1)];
    openApp("/notifications");
    const list = await screen.findByRole("list", { name: "Notifications" });
    expect(within(list).getByText("Settled")).toBeTruthy();
    expect(within(list).getAllByText("3 times")).toHaveLength(2);
  });

  it("says what it is for when there is nothing, and why it could not be loaded", async () => {
    items = [];
    openApp("/notifications");
    await screen.findByText("Nothing has happened yet");
    server.on("GET /api/v1/notifications", () => problem(503, "The database is away."));
  });
});
