import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { Schema } from "../src/api/client";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const session: Schema<"Session"> = {
  id: "ses_1",
  created_at: NOW,
  last_seen_at: NOW,
  user_agent: "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36",
  address: "192.0.2.7",
  factor: "password",
  unfamiliar: false,
  current: true,
};
const strange: Schema<"Session"> = {
  ...session,
  id: "ses_2",
  address: "198.51.100.9",
  user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
  unfamiliar: true,
  current: false,
};
const account: Schema<"Account"> = {
  password: true,
  totp_since: null,
  recovery_codes_left: 0,
  passkeys: [],
  passkey_origin: "http://localhost:8000",
  notices: [strange],
};

function serving(change: Partial<Schema<"Account">> = {}): Server {
  const server = new Server();
  server.on("GET /api/v1/account", () => [200, { ...account, ...change }]);
  server.on("GET /api/v1/sessions", () => [200, [session, strange]]);
  return server;
}

describe("a firm that wants a second factor", () => {
  it("opens nothing but its setting up, wherever somebody goes", async () => {
    const server = serving();
    server.me = { ...me, permissions: [], second_factor_missing: true };
    const { address } = openApp("/fraud");
    expect(await screen.findByText("Your firm asks everybody for a second factor")).toBeTruthy();
    expect(address()).toContain("/account");
    expect(screen.getByRole("region", { name: "Authenticator app" })).toBeTruthy();
    expect(screen.queryByRole("region", { name: "Where you are signed in" })).toBeNull();
    expect(server.sent("GET /api/v1/sessions")).toHaveLength(0);
  });

  it("shows the recovery codes while it opens everything else, and says in the dialog why a code is wrong", async () => {
    const server = serving();
    const whole = server.me;
    server.me = { ...me, permissions: [], second_factor_missing: true };
    server.on("POST /api/v1/account/totp", () => [201, { secret: "ABCDEFGH", uri: "otpauth://totp/x" }]);
    let tries = 0;
    server.on("POST /api/v1/account/totp/confirm", () => {
      if (tries++ === 0) return problem(422, "This code does not fit.");
      server.me = whole;
      server.on("GET /api/v1/account", () => [200, { ...account, totp_since: NOW, recovery_codes_left: 10 }]);
      return [200, { recovery_codes: ["first-code", "second-code"] }];
    });
    const { user, address } = openApp("/fraud?min=100");
    await user.click(await screen.findByRole("button", { name: "Set up an app" }));
    // Nothing else opens until then, so that nothing else is offered or asked for.
    expect(document.querySelectorAll("ul.nav a")).toHaveLength(1);
    expect(server.sent("GET /api/v1/notifications")).toHaveLength(0);
    await user.type(await screen.findByLabelText("Code"), "111111{Enter}");
    const dialog = screen.getByRole("dialog");
    expect((await within(dialog).findByText("This code does not fit.")).getAttribute("role")).toBe("alert");
    await user.clear(screen.getByLabelText("Code"));
    await user.type(screen.getByLabelText("Code"), "222222{Enter}");
    // The rest of the app is open by now, and the codes, which are told this once, are still there.
    expect(await screen.findByRole("link", { name: "Fraud monitor" })).toBeTruthy();
    expect(await screen.findByText("first-code")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "I have kept them" }));
    await waitFor(() => expect(address()).toBe("/fraud?min=100"));
  });
});

/** A browser that makes a passkey whenever it is asked for one. */
function makesPasskeys() {
  class Made {
    static parseCreationOptionsFromJSON = () => ({});
    static parseRequestOptionsFromJSON = () => ({});
    toJSON = () => ({ id: "made" });
  }
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("PublicKeyCredential", Made);
  vi.stubGlobal("navigator", {
    ...navigator,
    userAgent: "Chrome/141",
    credentials: { create: async () => new Made() },
  });
}

describe("a passkey as the second factor that the firm wants", () => {
  const passkey = { id: "pky_1", name: "Chrome", created_at: NOW, last_used_at: null };

  /** Somebody on the way to the alerts adds a passkey; the server answers with these recovery codes. */
  async function adding(recovery_codes: string[]) {
    const origin = { passkey_origin: window.location.origin };
    const server = serving(origin);
    const whole = server.me;
    server.me = { ...me, permissions: [], second_factor_missing: true };
    makesPasskeys();
    server.on("POST /api/v1/account/passkeys/options", () => [200, { options: {} }]);
    server.on("POST /api/v1/account/passkeys", () => {
      server.me = whole;
      const now = { ...account, ...origin, passkeys: [passkey], recovery_codes_left: 10 };
      server.on("GET /api/v1/account", () => [200, now]);
      return [201, { passkey, recovery_codes }];
    });
    const app = openApp("/fraud?min=100");
    await app.user.click(await screen.findByRole("button", { name: "Add a passkey" }));
    return app;
  }

  it("brings recovery codes, and then leads on to where one was going", async () => {
    const { user, address } = await adding(["first-code"]);
    await screen.findByText("first-code");
    await user.click(screen.getByRole("button", { name: "I have kept them" }));
    await waitFor(() => expect(address()).toBe("/fraud?min=100"));
  });

  it("leads on to where one was going also when there are recovery codes from before", async () => {
    const { address } = await adding([]);
    await waitFor(() => expect(address()).toBe("/fraud?min=100"));
  });
});

describe("the account page", () => {
  it("tells of a sign-in from a new place until it is recognised", async () => {
    const server = serving();
    server.on("POST /api/v1/sessions/ses_2/recognise", () => [204]);
    const { user } = openApp("/account");
    expect(await screen.findByText(/New sign-in from Firefox on Linux, 198.51.100.9/)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "This was me" }));
    expect(server.sent("POST /api/v1/sessions/ses_2/recognise")).toHaveLength(1);
  });

  it("signs another browser out, and never offers it for this one", async () => {
    const server = serving();
    server.on("DELETE /api/v1/sessions/ses_2", () => [204]);
    const { user } = openApp("/account");
    const list = await screen.findByRole("region", { name: "Where you are signed in" });
    await within(list).findByText("Chrome on Windows");
    expect(within(list).getAllByRole("button", { name: /^Sign out (Chrome|Firefox)/ })).toHaveLength(1);
    await user.click(within(list).getByRole("button", { name: /Firefox/ }));
    expect(server.sent("DELETE /api/v1/sessions/ses_2")).toHaveLength(1);
  });

  it("sets up an app by QR code and first code, and shows the recovery codes once", async () => {
    const server = serving();
    server.on("POST /api/v1/account/totp", () => [
      200,
      { secret: "ABCDEFGH", uri: "otpauth://totp/x?secret=ABCDEFGH" },
    ]);
    server.on("POST /api/v1/account/totp/confirm", () => [
      200,
      { recovery_codes: ["0-abcde-fghjk", "1-abcde-fghjk"] },
    ]);
    const { user } = openApp("/account");
    await user.click(await screen.findByRole("button", { name: "Set up an app" }));
    expect(await screen.findByText("ABCD EFGH")).toBeTruthy();
    await user.type(screen.getByLabelText("Code"), "123456");
    await user.click(screen.getByRole("button", { name: "Confirm" }));
    const codes = await screen.findByRole("list", { name: "Recovery codes" });
    expect(within(codes).getAllByRole("listitem")).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "I have kept them" }));
    await waitFor(() => expect(screen.queryByRole("list", { name: "Recovery codes" })).toBeNull());
  });

  it("says what is wrong with a new password", async () => {
    const server = serving();
    server.on("POST /api/v1/account/password", () => problem(422, "This is a very common password."));
    const { user } = openApp("/account");
    await user.type(await screen.findByLabelText("Present password"), "a long password");
    await user.type(screen.getByLabelText("New password"), "password1234");
    await user.click(screen.getByRole("button", { name: "Change the password" }));
    expect(await screen.findByText("This is a very common password.")).toBeTruthy();
  });

  it("says where passkeys work when they do not work here", async () => {
    serving();
    openApp("/account");
    expect(await screen.findByText(/Passkeys work at http:\/\/localhost:8000/)).toBeTruthy();
  });
});

describe("stepping up", () => {
  const wanted = () =>
    problem(403, "Confirm it.", {
      type: "urn:finer:problem:step-up-required",
      methods: ["totp", "recovery"],
    });

  it("asks who is there and then does the same once more", async () => {
    const server = serving({ totp_since: NOW });
    let asked = 0;
    server.on("DELETE /api/v1/account/totp", () => (asked++ === 0 ? wanted() : [204]));
    server.on("POST /api/v1/account/step-up", () => [204]);
    const { user } = openApp("/account");
    const section = await screen.findByRole("region", { name: "Authenticator app" });
    await user.click(within(section).getByRole("button", { name: "Remove" }));
    await user.click((await screen.findAllByRole("button", { name: "Remove" })).at(-1) as HTMLElement);
    await user.type(await screen.findByLabelText(/Code of your app/), "123456");
    await user.click(screen.getByRole("button", { name: "Confirm" }));
    await waitFor(() => expect(server.sent("DELETE /api/v1/account/totp")).toHaveLength(2));
    const [proof] = server.sent("POST /api/v1/account/step-up");
    expect(await proof?.json()).toEqual({ code: "123456" });
    const keys = server.sent("DELETE /api/v1/account/totp").map((one) => one.headers.get("Idempotency-Key"));
    expect(new Set(keys).size).toBe(2);
  });

  it("does nothing more when the person closes the dialog", async () => {
    const server = serving();
    server.on("POST /api/v1/account/totp", wanted);
    const { user } = openApp("/account");
    await user.click(await screen.findByRole("button", { name: "Set up an app" }));
    await screen.findByText("Confirm that it is you");
    await user.click(screen.getByRole("button", { name: "Close" }));
    await waitFor(() => expect(screen.queryByText("Confirm that it is you")).toBeNull());
    expect(server.sent("POST /api/v1/account/totp")).toHaveLength(1);
    expect(screen.queryByText("Confirm it.")).toBeNull();
  });
});

describe("the second step of a sign-in", () => {
  it("asks for a code after the password", async () => {
    const server = new Server();
    server.me = null;
    const missing = { token: "half", methods: ["totp", "recovery"] };
    server.on("POST /api/v1/session", () => [200, { user: null, permissions: [], second_factor: missing }]);
    let tries = 0;
    server.on("POST /api/v1/session/second-factor", () => {
      if (tries++ === 0) return problem(401, "no");
      server.me = me;
      return [200, { user: me.user, permissions: me.permissions, second_factor: null }];
    });
    const { user } = openApp("/sign-in");
    await user.type(await screen.findByLabelText("E-mail"), "mei@luzon.example");
    await user.type(screen.getByLabelText("Password"), "a long password");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    await user.type(await screen.findByLabelText(/Code of your app/), "111111");
    await user.click(screen.getByRole("button", { name: "Go on" }));
    expect((await screen.findByRole("alert")).textContent).toContain("does not fit");
    await user.click(await screen.findByRole("button", { name: "Go on" }));
    expect(await screen.findByRole("grid", { name: "Alerts" })).toBeTruthy();
    expect(await server.sent("POST /api/v1/session/second-factor")[0]?.json()).toEqual({
      token: "half",
      code: "111111",
    });
  });
});
