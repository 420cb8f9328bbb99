import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openApp } from "./support/app";
import { alertOf, NOW, summaryOf } from "./support/data";
import { FakeEventSource } from "./support/eventSource";
import { problem, Server } from "./support/server";

const STREAM = "/api/v1/alerts/stream";
let server: Server;

beforeEach(() => {
  server = new Server();
});

async function openMonitor(at = "/fraud") {
  const app = openApp(at);
  const grid = await screen.findByRole("grid", { name: "Alerts" });
  act(() => FakeEventSource.at(STREAM).open());
  return { ...app, grid };
}

const rowTexts = () =>
  within(screen.getByRole("grid", { name: "Alerts" }))
    .getAllByRole("row")
    .slice(1)
    .map((row) => /Merchant \d+/.exec(row.textContent ?? "")?.[0]);

describe("the fraud monitor", () => {
  it("lists alerts with amount, card and reason", async () => {
    const { grid } = await openMonitor();
    const [, first] = within(grid).getAllByRole("row");
    expect(first?.textContent).toContain("56,000.03");
    expect(first?.textContent).toContain("**** 1234");
    expect(first?.textContent).toContain("Reason of alert 3.");
    // In the firm's own currency, at a rate of 50; what rules compare is on hover.
    const worth = await screen.findByRole("link", { name: "61,728.00 PHP" });
    expect(worth.getAttribute("href")).toContain("state=confirmed");
    expect(within(worth).getByTitle(/1,234\.56 USD at today's rate/)).toBeTruthy();
    expect(screen.getByText("Live")).toBeTruthy();
  });

  it("shows a new alert on top, and new numbers", async () => {
    await openMonitor();
    act(() => FakeEventSource.at(STREAM).send("alert", alertOf(9)));
    act(() =>
      FakeEventSource.at(STREAM).send("summary", { ...summaryOf(4711), as_of: "2026-11-20T06:00:01Z" }),
    );
    await waitFor(() => expect(rowTexts()).toEqual(["Merchant 9", "Merchant 3", "Merchant 2", "Merchant 1"]));
    expect(screen.getByRole("link", { name: "4,711" })).toBeTruthy();
  });

  it("says since when it has no connection, unless it was only renewed", async () => {
    await openMonitor();
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      const stream = FakeEventSource.at(STREAM);
      act(() => stream.fail(false));
      screen.getByText("Reconnecting");
      act(() => stream.open());
      await act(() => vi.advanceTimersByTimeAsync(6000));
      screen.getByText("Live");
      act(() => stream.fail(true));
      await act(() => vi.advanceTimersByTimeAsync(6000));
      screen.getByText(/^No connection since \d\d:\d\d:\d\d$/);
      act(() => FakeEventSource.at(STREAM).open());
      screen.getByText("Live");
    } finally {
      vi.useRealTimers();
    }
  });

  it("lets new alerts wait behind a button while paused", async () => {
    const { user } = await openMonitor();
    await user.click(screen.getByRole("button", { name: /Pause/ }));
    act(() => {
      for (const n of [10, 11]) FakeEventSource.at(STREAM).send("alert", alertOf(n));
    });
    const pill = await screen.findByRole("button", { name: /2 new alerts/ });
    expect(rowTexts()).toHaveLength(3);
    await user.click(pill);
    await waitFor(() => expect(rowTexts()[0]).toBe("Merchant 11"));
  });

  it("ignores new alerts that do not fit the filter", async () => {
    await openMonitor("/fraud?action=block");
    act(() => {
      FakeEventSource.at(STREAM).send("alert", alertOf(12));
      FakeEventSource.at(STREAM).send("alert", alertOf(13));
    });
    await waitFor(() => expect(rowTexts()[0]).toBe("Merchant 13"));
    expect(rowTexts()).not.toContain("Merchant 12");
  });

  it("fetches again when the server says that something was missed", async () => {
    await openMonitor();
    server.alerts = [alertOf(20)];
    act(() => FakeEventSource.at(STREAM).send("resync", ""));
    await waitFor(() => expect(rowTexts()).toEqual(["Merchant 20"]));
  });

  it("sends the filter of the address to the API", async () => {
    await openMonitor("/fraud?state=all&min=250&q=4711&sort=amount");
    const url = new URL(
      server.sent("GET /api/v1/alerts").find((each) => each.url.includes("min_amount"))?.url ?? "",
    );
    expect(Object.fromEntries(url.searchParams)).toEqual({
      min_amount_usd: "250",
      q: "4711",
      sort: "amount",
      limit: "50",
    });
  });

  it("judges by keyboard, with a note", async () => {
    const { user } = await openMonitor();
    await user.keyboard("jj");
    await user.keyboard("d");
    await user.type(await screen.findByLabelText("Note (optional)"), "Customer called");
    await user.keyboard("{Enter}");
    await screen.findByText("1 alert dismissed.");
    const [request] = server.sent(`POST /api/v1/alerts/${alertOf(2).id}/resolution`);
    expect(await request?.json()).toEqual({ verdict: "dismissed", note: "Customer called", version: 1 });
    expect(request?.headers.get("Idempotency-Key")).toBeTruthy();
    expect(await screen.findByRole("button", { name: "Put away 1 judged" })).toBeTruthy();
  });

  it("says who was first when somebody else judged", async () => {
    const { user } = await openMonitor();
    const taken = alertOf(3, {
      state: "confirmed_fraud",
      version: 2,
      resolution: { by: "Rafael", at: NOW, note: "" },
    });
    server.on(`POST /api/v1/alerts/${taken.id}/resolution`, () => problem(409, "Judged already."));
    server.alerts = [taken];
    await user.keyboard("jc");
    await user.click(await screen.findByRole("button", { name: "Confirm fraud" }));
    expect((await screen.findByText(/already judged by Rafael/)).textContent).toContain(
      "by Rafael at 20 Nov",
    );
  });

  it("keeps the dialog and the key when recording failed", async () => {
    const { user } = await openMonitor();
    const call = `POST /api/v1/alerts/${alertOf(3).id}/resolution`;
    let down = true;
    server.on(call, () =>
      down ? problem(500, "Away.") : [200, alertOf(3, { state: "dismissed", version: 2 })],
    );
    await user.keyboard("jd");
    await user.click(await screen.findByRole("button", { name: "Dismiss" }));
    await screen.findByText("Away.");
    down = false;
    await user.click(await screen.findByRole("button", { name: "Dismiss" }));
    await screen.findByText("1 alert dismissed.");
    const keys = server.sent(call).map((request) => request.headers.get("Idempotency-Key"));
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("waits for the answer of a verdict that is under way", async () => {
    const { user } = await openMonitor();
    const call = `POST /api/v1/alerts/${alertOf(3).id}/resolution`;
    server.on(call, () =>
      server.sent(call).length < 3 ? underWay() : [200, alertOf(3, { state: "dismissed", version: 2 })],
    );
    await user.keyboard("jd");
    await user.click(await screen.findByRole("button", { name: "Dismiss" }));
    await screen.findByText("1 alert dismissed.");
    const keys = server.sent(call).map((request) => request.headers.get("Idempotency-Key"));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it("does not say that somebody else was first while its own verdict is under way", async () => {
    const { user } = await openMonitor();
    server.on(`POST /api/v1/alerts/${alertOf(3).id}/resolution`, underWay);
    await user.keyboard("jd");
    await user.click(await screen.findByRole("button", { name: "Dismiss" }));
    await screen.findByText("It is under way.");
    expect(screen.queryByText(/changed meanwhile|already judged/)).toBeNull();
    expect(screen.getByRole("dialog").textContent).toContain("It is under way.");
  });

  it("judges many at once", async () => {
    const { user } = await openMonitor();
    await user.click(screen.getByLabelText("Choose all loaded rows"));
    const bar = await screen.findByRole("region", { name: "Chosen alerts" });
    expect(bar.textContent).toContain("3 alerts chosen");
    await user.click(within(bar).getByRole("button", { name: "Confirm fraud" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Confirm fraud" }));
    await screen.findByText("3 alerts confirmed as fraud.");
    expect(server.requests.filter((request) => request.url.endsWith("/resolution"))).toHaveLength(3);
  });

  it("opens an alert at its own address, with everything about it", async () => {
    const { user, address } = await openMonitor();
    await user.keyboard("j{Enter}");
    const panel = await screen.findByRole("complementary", { name: "Alert" });
    await within(panel).findByText("Payments of the account in 10 seconds");
    expect(address()).toContain(alertOf(3).id);
    expect(panel.textContent).toContain("this transaction");
    expect(panel.textContent).toContain("unknown");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(address()).toBe("/fraud"));
  });

  it("leaves Enter to the button that holds the focus", async () => {
    const { user, address } = await openMonitor();
    await user.keyboard("j");
    await user.tab();
    expect(document.activeElement?.textContent).toBe("Skip to the content");
    await user.keyboard("{Enter}");
    expect(document.activeElement?.id).toBe("main");
    expect(address()).toBe("/fraud");
  });

  it("rests its keys while somebody types", async () => {
    const { user } = await openMonitor();
    await user.keyboard("j/");
    await user.keyboard("cd");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toBe(screen.getByLabelText(/^Search merchant/));
  });

  it("mends a failed list alone", async () => {
    let down = true;
    server.on("GET /api/v1/alerts", () =>
      down ? problem(500, "The database is away.") : [200, { items: [alertOf(1)], next: null, as_of: NOW }],
    );
    const { user } = openApp("/fraud");
    await screen.findByText("The alerts could not be loaded");
    down = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(rowTexts()).toEqual(["Merchant 1"]));
  });

  it("says what the page is for when there is nothing", async () => {
    server.alerts = [];
    openApp("/fraud");
    expect((await screen.findByText("No open alerts")).parentElement?.textContent).toContain(
      "Records come by",
    );
  });

  it("keeps a view under its name", async () => {
    const { user, address } = await openMonitor("/fraud?min=700");
    await user.click(screen.getByRole("button", { name: /^Views/ }));
    const name = await screen.findByLabelText("Name of the new view");
    await user.type(name, "{Enter}");
    expect(screen.getByText("Give the view a name.")).toBeTruthy();
    await user.type(name, "Large{Enter}");
    await user.click(screen.getByRole("button", { name: "Views: Large" }));
    await user.click(await screen.findByRole("button", { name: "Blocked today" }));
    await waitFor(() => expect(address()).toContain("range=today"));
    await user.click(screen.getByRole("button", { name: "Views: Blocked today" }));
    await user.click(await screen.findByRole("button", { name: "Large" }));
    await waitFor(() => expect(address()).toContain("min=700"));
  });
});

/** What the server says of a request whose twin has not been answered, and that it may be asked again at once. */
function underWay(): [number, unknown, Record<string, string>] {
  const type = "urn:finer:problem:idempotency-key-in-use";
  return [...problem(409, "It is under way.", { type }), { "Retry-After": "0" }];
}
