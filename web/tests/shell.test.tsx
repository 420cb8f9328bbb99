import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { openApp } from "./support/app";
import { alertOf, me, pipeline } from "./support/data";
import { FakeEventSource } from "./support/eventSource";
import { problem, Server } from "./support/server";

let server: Server;

beforeEach(() => {
  server = new Server();
});

describe("the shell", () => {
  it("opens an alert by its id from the palette", async () => {
    const { user, address } = openApp("/fraud");
    await screen.findByRole("grid", { name: "Alerts" });
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByLabelText("Command"), alertOf(2).id);
    await user.keyboard("{Enter}");
    await waitFor(() => expect(address()).toBe(`/fraud/alerts/${alertOf(2).id}`));
  });

  it("says so where nothing is called like what was typed", async () => {
    server.me = { ...me, permissions: ["pipeline:read"] };
    const { user } = openApp("/pipeline");
    await screen.findByRole("heading", { name: "Pipeline" });
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByLabelText("Command"), "xyzzy");
    await screen.findByText("No page and nothing to do is called like this.");
  });

  it("offers no second try at what is not there", async () => {
    server.me = { ...me, permissions: ["rules:read"] };
    server.on("GET /api/v1/rules/none", () => problem(404, "There is no rule none."));
    openApp("/rules/none");
    await screen.findByText("The rule could not be found");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
    screen.getByRole("link", { name: "All rules" });
  });

  it("switches to the dark theme and remembers it", async () => {
    const { user } = openApp("/fraud");
    await screen.findByRole("grid", { name: "Alerts" });
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByLabelText("Command"), "dark{Enter}");
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe("dark"));
    expect(localStorage.getItem("finer.user.usr_1")).toContain('"theme":"dark"');
  });

  it("lists the keys of the page", async () => {
    const { user } = openApp("/fraud");
    await screen.findByRole("grid", { name: "Alerts" });
    await user.keyboard("?");
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("Confirm fraud");
    expect(dialog.textContent).toContain("Command palette");
  });

  it("counts alerts that are new since one looked", async () => {
    const { user } = openApp("/fraud");
    await user.click(await screen.findByRole("button", { name: "Notifications: 3 new alerts" }));
    await user.click(screen.getByRole("button", { name: /^Notifications/ }));
    await screen.findByRole("button", { name: "Notifications" });
    act(() => FakeEventSource.at("/api/v1/alerts/stream").send("alert", alertOf(30)));
    await screen.findByRole("button", { name: "Notifications: 1 new alert" });
  });
});

describe("the pipeline page", () => {
  it("shows the flow, live", async () => {
    openApp("/pipeline");
    await screen.findByText("1.2 s", { exact: false });
    act(() => {
      const [contract] = pipeline.contracts;
      FakeEventSource.at("/api/v1/pipeline/stream").send("pipeline", {
        ...pipeline,
        contracts: [{ ...contract, received: 8888, accepted_per_s: 77 }],
      });
    });
    expect(await screen.findByRole("link", { name: "8,888" })).toBeTruthy();
  });

  it("stands still while paused", async () => {
    const { user } = openApp("/pipeline");
    await screen.findByRole("link", { name: "1,000" });
    await user.click(screen.getByRole("button", { name: /Pause/ }));
    act(() => FakeEventSource.at("/api/v1/pipeline/stream").send("pipeline", { ...pipeline, contracts: [] }));
    expect(screen.getByRole("link", { name: "1,000" })).toBeTruthy();
  });

  it("shows a refused record whole", async () => {
    const { user } = openApp("/pipeline");
    const grid = await screen.findByRole("grid", { name: "Quarantined records" });
    const [, row] = within(grid).getAllByRole("row");
    expect(row?.textContent).toContain("The amount must be greater than 0.");
    await user.click(row as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain('"amount": -5');
    expect(dialog.textContent).toContain("rct_1");
  });

  it("leads from a number to its rows", async () => {
    const { user } = openApp("/pipeline");
    await user.click(await screen.findByRole("link", { name: "970" }));
    await screen.findByText("No receipt fits");
    expect(server.sent("GET /api/v1/receipts")[0]?.url).toContain("contract=transaction");
  });

  it("keeps what cannot be renewed, and says since when it is old and how to try again", async () => {
    const { user } = openApp("/pipeline");
    await screen.findByRole("link", { name: "1,000" });
    let away = true;
    server.on("GET /api/v1/pipeline", () => (away ? problem(500, "Away.") : [200, pipeline]));
    act(() => FakeEventSource.at("/api/v1/pipeline/stream").send("pipeline", "{broken"));
    await screen.findByText(/^Some of this page is as of/);
    expect(screen.getByRole("alert").textContent).toContain("Away.");
    expect(screen.getByRole("link", { name: "1,000" })).toBeTruthy();
    away = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.queryByText(/^Some of this page/)).toBeNull());
  });

  it("tries each part again alone", async () => {
    server.on("GET /api/v1/pipeline", () => problem(500, "Away."));
    openApp("/pipeline");
    expect(await screen.findByText("The freshness could not be loaded")).toBeTruthy();
    expect(await screen.findByRole("grid", { name: "Quarantined records" })).toBeTruthy();
  });
});
