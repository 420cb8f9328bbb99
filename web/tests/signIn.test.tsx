import { cleanup, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openApp } from "./support/app";
import { me } from "./support/data";
import { problem, Server } from "./support/server";

const somebodyElse = { ...me, user: { ...me.user, id: "usr_else", name: "Ana Reyes" } };

/** Signs in somebody else than who was there before. */
async function signInAsAna(server: Server, { user, address }: ReturnType<typeof openApp>): Promise<void> {
  server.on("POST /api/v1/session", () => {
    server.me = somebodyElse;
    return [200, { user: somebodyElse.user, permissions: somebodyElse.permissions, second_factor: null }];
  });
  await user.type(await screen.findByLabelText("E-mail"), "ana@luzon.example");
  // The memory router of the test does not write the address of the window.
  window.history.replaceState(null, "", address());
  await user.type(screen.getByLabelText("Password"), "a long password");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await screen.findByRole("button", { name: "Account of Ana Reyes" });
}

/** A page on which somebody has written, and whose session has ended. */
async function covered() {
  const server = new Server();
  const app = openApp("/fraud");
  await app.user.type(await screen.findByPlaceholderText("Merchant or event id"), "half a sent");
  // The list is searched a moment after typing stops, which must not come in between somebody else and their page.
  await waitFor(() => expect(app.address()).toContain("sent"));
  server.me = null;
  await app.user.click(screen.getByText("Dismissed"));
  await screen.findByText("Your session has ended");
  return { server, ...app };
}

describe("signing in", () => {
  it("leads back to where one was", async () => {
    const server = new Server();
    server.me = null;
    const { user, address } = openApp("/fraud?min=100");
    await user.type(await screen.findByLabelText("E-mail"), " mei@luzon.example");
    // The memory router of the test does not write the address of the window.
    window.history.replaceState(null, "", address());
    await user.type(screen.getByLabelText("Password"), "a long password");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("grid", { name: "Alerts" })).toBeTruthy();
    const [request] = server.sent("POST /api/v1/session");
    expect(await request?.json()).toEqual({ email: "mei@luzon.example", password: "a long password" });
    expect(request?.headers.get("X-Requested-With")).toBe("finer");
    expect(request?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("says that the password is wrong, and keeps what was typed", async () => {
    const server = new Server();
    server.me = null;
    server.on("POST /api/v1/session", () => problem(401, "no"));
    const { user } = openApp("/sign-in");
    await user.type(await screen.findByLabelText("E-mail"), "mei@luzon.example");
    await user.type(screen.getByLabelText("Password"), "wrong");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    const said = await screen.findByRole("alert");
    expect(said.textContent).toContain("password is wrong");
    await waitFor(() => expect(document.activeElement).toBe(said));
    expect(screen.getByLabelText<HTMLInputElement>("E-mail").value).toBe("mei@luzon.example");
  });

  it("spends a link once and takes the token out of the address", async () => {
    const server = new Server();
    server.me = null;
    openApp("/sign-in?token=abc");
    expect(await screen.findByRole("grid", { name: "Alerts" })).toBeTruthy();
    expect(server.sent("POST /api/v1/session/link")).toHaveLength(1);
    expect(window.location.search).toBe("");
    // The tenant's own colour, made readable: the look follows whoever has just signed in.
    expect(document.documentElement.style.getPropertyValue("--primary")).toBe("#0f5c5c");
  });

  it("explains a link that was used already", async () => {
    const server = new Server();
    server.me = null;
    server.on("POST /api/v1/session/link", () => problem(401, "no"));
    openApp("/sign-in?token=spent");
    expect((await screen.findByText(/link was used already/)).textContent).toContain("ask for a new link");
  });

  it("is asked for when the session ends in the middle", async () => {
    const server = new Server();
    const { user, address } = openApp("/fraud");
    await screen.findByRole("grid", { name: "Alerts" });
    server.me = null;
    await user.click(screen.getByText("Dismissed"));
    await screen.findByLabelText("E-mail");
    expect(address()).toContain("next=");
    expect(decodeURIComponent(address())).toContain("state=dismissed");
  });

  it("keeps a page on which somebody has written, until they are signed in again", async () => {
    const server = new Server();
    const { user, address } = openApp("/fraud");
    await user.type(await screen.findByPlaceholderText("Merchant or event id"), "half a sent");
    server.me = null;
    await user.click(screen.getByText("Dismissed"));
    await screen.findByText("Your session has ended");
    expect(address()).toMatch(/^\/fraud/);
    // Back in this window without having signed in, it still waits.
    const asked = server.sent("GET /api/v1/me").length;
    window.dispatchEvent(new Event("focus"));
    await waitFor(() => expect(server.sent("GET /api/v1/me").length).toBeGreaterThan(asked));
    screen.getByRole("dialog");
    server.me = me;
    window.dispatchEvent(new Event("focus"));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(screen.getByPlaceholderText<HTMLInputElement>("Merchant or event id").value).toBe("half a sent");
  });

  it("shows nothing of a page that was kept to somebody else", async () => {
    const { server } = await covered();
    server.me = somebodyElse;
    window.dispatchEvent(new Event("focus"));
    await screen.findByRole("button", { name: "Account of Ana Reyes" });
    await waitFor(() => expect(screen.queryByText("Your session has ended")).toBeNull());
    // Nor does the address, which may hold what was looked for.
    const search = () => screen.getByPlaceholderText<HTMLInputElement>("Merchant or event id");
    await waitFor(() => expect(search().value).toBe(""));
  });

  it("gives a page that was kept up when somebody goes back or forth", async () => {
    const { server, router, address } = await covered();
    // What was read before is not shown either, while the server has answered nothing yet.
    for (const part of ["alerts", "alerts/summary", "notifications"])
      server.on(`GET /api/v1/${part}`, () => new Promise(() => undefined));
    router.history.push("/sign-in");
    await screen.findByLabelText("E-mail");
    router.history.back();
    await waitFor(() => expect(address()).toMatch(/^\/sign-in\?next=/));
    router.history.push("/pipeline");
    await waitFor(() => expect(address()).toMatch(/^\/sign-in\?next=%2Fpipeline/));
  });

  it("takes the page of the person before away when somebody else signs in beside it", async () => {
    const server = new Server();
    const { user, address } = openApp("/fraud");
    await user.type(await screen.findByPlaceholderText("Merchant or event id"), "half a sent");
    // What is looked for stands in the address too, a moment after it was written.
    await waitFor(() => expect(address()).toContain("sent"));
    server.me = somebodyElse;
    window.dispatchEvent(new StorageEvent("storage", { key: "finer.person" }));
    await screen.findByRole("button", { name: "Account of Ana Reyes" });
    await waitFor(() => expect(address()).not.toContain("sent"));
    const search = await screen.findByPlaceholderText<HTMLInputElement>("Merchant or event id");
    expect(search.value).toBe("");
  });

  it("leads nobody to the address that somebody else had open when their session ended", async () => {
    const server = new Server();
    const app = openApp("/fraud?min=100");
    await screen.findByRole("grid", { name: "Alerts" });
    server.me = null;
    await app.user.click(screen.getByText("Dismissed"));
    await waitFor(() => expect(app.address()).toMatch(/^\/sign-in\?next=.*min/));
    await signInAsAna(server, app);
    await waitFor(() => expect(app.address()).toBe("/fraud"));
  });

  it("leads nobody there either where the page is loaded anew, as it is on the way back from a provider", async () => {
    const server = new Server();
    openApp("/fraud?min=100");
    await screen.findByRole("grid", { name: "Alerts" });
    cleanup();
    server.me = somebodyElse;
    const { address } = openApp("/fraud?min=100");
    await screen.findByRole("button", { name: "Account of Ana Reyes" });
    await waitFor(() => expect(address()).toBe("/fraud"));
  });

  it("leads whoever opens a link in a window of its own to what it shows, whoever was there before in another", async () => {
    const server = new Server();
    openApp("/fraud");
    await screen.findByRole("grid", { name: "Alerts" });
    cleanup();
    sessionStorage.clear();
    server.me = null;
    const app = openApp("/fraud?min=100");
    await signInAsAna(server, app);
    expect(app.address()).toBe("/fraud?min=100");
  });

  it("ends by signing out", async () => {
    const server = new Server();
    const { user } = openApp("/fraud");
    await user.click(await screen.findByRole("button", { name: "Account of Mei Tan" }));
    await user.click(await screen.findByRole("button", { name: "Sign out" }));
    await screen.findByLabelText("E-mail");
    expect(server.sent("DELETE /api/v1/session")).toHaveLength(1);
    await waitFor(() => expect(document.documentElement.style.getPropertyValue("--primary")).toBe("#1d4f91"));
  });

  it("ends by signing out where the session has ended by itself", async () => {
    const server = new Server();
    const { user } = openApp("/fraud");
    await user.click(await screen.findByRole("button", { name: "Account of Mei Tan" }));
    server.me = null;
    await user.click(await screen.findByRole("button", { name: "Sign out" }));
    await screen.findByLabelText("E-mail");
    expect(screen.queryByText("Your session has ended")).toBeNull();
  });
});

describe("what a role may not", () => {
  it("is not in the navigation, and answers 403", async () => {
    const server = new Server();
    server.me = { ...me, permissions: ["pipeline:read"] };
    openApp("/fraud");
    expect(await screen.findByText("Your role does not open this page")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Fraud monitor" })).toBeNull();
    expect(screen.getByRole("link", { name: "Pipeline" })).toBeTruthy();
    expect(server.sent("GET /api/v1/alerts")).toHaveLength(0);
  });

  it("hides the buttons that judge", async () => {
    const server = new Server();
    server.me = { ...me, permissions: ["alerts:read", "alerts:summarise"] };
    openApp(`/fraud/alerts/${server.alerts[0]?.id}`);
    await screen.findByText("Values the decision used");
    expect(screen.queryByRole("button", { name: /Confirm fraud/ })).toBeNull();
    expect(screen.queryByRole("checkbox")).toBeNull();
  });
});

describe("pages that are not", () => {
  it("answer 404", async () => {
    new Server();
    openApp("/nowhere");
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Fraud monitor" })).toBeTruthy();
  });

  it("offer another try when the server is down", async () => {
    const server = new Server();
    let down = true;
    server.on("GET /api/v1/me", () => (down ? problem(500, "The database is away.") : [200, me]));
    const { user } = openApp("/fraud");
    await screen.findByText("The database is away.");
    down = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.getByRole("grid", { name: "Alerts" })).toBeTruthy());
  });
});
