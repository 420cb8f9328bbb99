import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

let server: Server;

const run: Schema<"RunView"> = {
  id: "run_00000000000000000000000000000001",
  job: "compact_lake",
  state: "failed",
  cause: "schedule",
  whole: false,
  day: null,
  due_at: NOW,
  missed: 2,
  asked_by: "Finer",
  asked_at: NOW,
  started_at: NOW,
  ended_at: NOW,
  duration_s: 1.5,
  attempts: 3,
  done: null,
  total: null,
  counts: {},
  error: "The lake is away.",
  stopping: false,
};

const job: Schema<"JobView"> = {
  name: "compact_lake",
  about: "Merges small files.",
  owner: "warehouse",
  schedule: "every 10 minutes",
  cron: "*/10 * * * *",
  timezone: "UTC",
  whole: false,
  after: [],
  dated: true,
  paused_at: null,
  paused_by: null,
  next_at: NOW,
  last: run,
  running: null,
  durations: [
    { run: run.id, ended_at: NOW, seconds: 1.5, state: "failed" },
    { run: run.id, ended_at: NOW, seconds: 3, state: "succeeded" },
  ],
};

beforeEach(() => {
  server = new Server();
  server.me = { ...me, permissions: ["jobs:read", "jobs:run"] };
  server.on("GET /api/v1/jobs", () => [200, { items: [job], as_of: NOW }]);
  server.on("GET /api/v1/jobs/runs", () => [200, { items: [run], next: null, as_of: NOW }]);
  server.on(`GET /api/v1/jobs/runs/${run.id}`, () => [
    200,
    { ...run, about: job.about, lines: ["one file was left out"], can_retry: true, can_cancel: false },
  ]);
});

describe("the jobs page", () => {
  it("shows schedules, how they went, and the run behind an outcome", async () => {
    const { user } = openApp("/jobs");
    const list = await screen.findByRole("list", { name: "Jobs" });
    within(list).getByText("every 10 minutes");
    within(list).getByRole("img", { name: "Durations of the last 2 runs, up to 3 s" });
    await user.click(within(list).getByRole("button", { name: /Failed.*The lake is away/ }));
    const drawer = await screen.findByRole("dialog");
    await within(drawer).findByText("one file was left out");
    within(drawer).getByText("It stands for 2 earlier runs that nobody was there to do.");
    server.on(`POST /api/v1/jobs/runs/${run.id}/retry`, () => [202, { items: [run] }]);
    await user.click(within(drawer).getByRole("button", { name: "Run it again" }));
    await screen.findByText("A run like this one is queued.");
  });

  it("runs a job now, and says why it cannot", async () => {
    server.on("POST /api/v1/jobs/compact_lake/runs", () => problem(409, "A run is queued already."));
    const { user } = openApp("/jobs");
    await user.click(await screen.findByRole("button", { name: "Run Compact lake now" }));
    await screen.findByText("A run is queued already.");
  });

  it("asks for past days", async () => {
    server.on("POST /api/v1/jobs/compact_lake/backfill", () => [202, { items: [run, run] }]);
    const { user } = openApp("/jobs");
    await user.click(await screen.findByRole("button", { name: "Run Compact lake for past days" }));
    const first = await screen.findByLabelText("First day");
    const before = (first as HTMLInputElement).value;
    fireEvent.change(first, { target: { value: "2999-01-01" } });
    await user.click(await screen.findByRole("button", { name: "Ask for runs" }));
    await screen.findByText("This day is before the first one.");
    fireEvent.change(first, { target: { value: before } });
    await user.click(await screen.findByRole("button", { name: /^Ask for 7 runs/ }));
    await waitFor(() => expect(server.sent("POST /api/v1/jobs/compact_lake/backfill")).toHaveLength(1));
  });

  it("offers nothing to who only looks", async () => {
    server.me = { ...me, permissions: ["jobs:read"] };
    openApp("/jobs");
    await screen.findByRole("list", { name: "Jobs" });
    expect(screen.queryByRole("button", { name: /now$/ })).toBeNull();
  });
});
