import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { readNetworks } from "../src/features/identity/clients/words";
import { openApp } from "./support/app";
import { me } from "./support/data";
import { problem, Server } from "./support/server";

const key: Schema<"ApiKeyView"> = {
  id: "key_1",
  prefix: "1a2b3c4d",
  name: "core banking",
  scopes: ["events:write"],
  networks: ["203.0.113.0/24"],
  created_by: "Mei Tan",
  created_at: "2026-01-01T00:00:00Z",
  expires_at: "2999-01-01T00:00:00Z",
  last_used_at: null,
  revoked_at: null,
  previous_until: null,
  approved_at: "2026-01-01T00:00:00Z",
  proposal: null,
};

function serverWith(keys: Schema<"ApiKeyView">[]): Server {
  const server = new Server();
  const more = [
    "api_keys:read",
    "api_keys:write",
    "firm:read",
    "firm:write",
    "sso:read",
    "sso:write",
  ] as const;
  server.me = { ...me, permissions: [...me.permissions, ...more] };
  server.on("GET /api/v1/api-keys", () => [200, keys]);
  server.on("GET /api/v1/oauth/clients", () => [200, []]);
  return server;
}

describe("API clients", () => {
  it("says what they are for when there are none", async () => {
    serverWith([]);
    openApp("/clients");
    expect(await screen.findByText("No machine may use Finer yet")).toBeTruthy();
    expect(screen.getAllByRole("button", { name: "New API client" })).toHaveLength(1);
  });

  it("makes one and shows its secret once", async () => {
    const server = serverWith([]);
    const waits = { approved_at: null, proposal: "pro_1" };
    server.on("POST /api/v1/api-keys", () => [201, { ...key, ...waits, key: "fk_1a2b3c4d_secret" }]);
    const { user } = openApp("/clients");
    await user.click(await screen.findByRole("button", { name: "New API client" }));
    const dialog = await screen.findByRole("dialog");
    const create = within(dialog).getByRole("button", { name: "Create" });
    await user.click(create);
    for (const said of ["Say which system uses it.", "Choose what it may do.", /^Say why/]) {
      await within(dialog).findByText(said);
    }
    await user.type(within(dialog).getByLabelText("Name"), "core banking");
    await user.click(within(dialog).getByRole("checkbox", { name: /Send records/ }));
    await user.type(within(dialog).getByLabelText(/networks only/), "203.0.113.0/24 10.0.0.0/8");
    await user.type(within(dialog).getByLabelText("Why"), "The feed of the core.");
    await user.click(create);
    expect(await screen.findByText("It opens nothing yet.")).toBeTruthy();
    expect(server.sent("POST /api/v1/api-keys")).toHaveLength(1);
    expect(await screen.findByLabelText<HTMLInputElement>("Key")).toHaveProperty(
      "value",
      "fk_1a2b3c4d_secret",
    );
    const [sent] = server.sent("POST /api/v1/api-keys");
    expect(await sent?.json()).toEqual({
      name: "core banking",
      scopes: ["events:write"],
      days: 365,
      networks: ["203.0.113.0/24", "10.0.0.0/8"],
      reason: "The feed of the core.",
    });
    await user.click(screen.getByRole("button", { name: "I have stored it" }));
    await waitFor(() => expect(screen.queryByLabelText("Key")).toBeNull());
  });

  it("asks before it revokes, and shows the server's reason when that fails", async () => {
    const server = serverWith([key]);
    server.on("DELETE /api/v1/api-keys/1a2b3c4d", () => problem(404, "There is no working API key."));
    const { user } = openApp("/clients");
    await user.click(await screen.findByRole("button", { name: "Revoke core banking" }));
    expect(server.sent("DELETE /api/v1/api-keys/1a2b3c4d")).toHaveLength(0);
    await user.click(await screen.findByRole("button", { name: "Revoke" }));
    expect((await screen.findByRole("alert")).textContent).toContain("no working API key");
  });

  it("shows what waits for approval, to be revoked and nothing else", async () => {
    serverWith([{ ...key, approved_at: null, proposal: "pro_1" }]);
    openApp("/clients");
    expect(await screen.findByText("Waits for approval")).toBeTruthy();
    expect(screen.getByRole("link", { name: "See the proposal" }).getAttribute("href")).toBe("/approvals");
    expect(screen.getByRole("button", { name: "Revoke core banking" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "New secret for core banking" })).toBeNull();
  });

  it("keeps those that ended out of sight until asked", async () => {
    serverWith([key, { ...key, prefix: "x", name: "old", revoked_at: "2026-02-01T00:00:00Z" }]);
    const { user, address } = openApp("/clients");
    expect(await screen.findByText("core banking")).toBeTruthy();
    expect(screen.queryByText("old")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Show 1 expired or revoked client too" }));
    expect(await screen.findByText("old")).toBeTruthy();
    expect(address()).toContain("show=all");
  });

  it("reads networks however they are typed", () => {
    expect(readNetworks(" 10.0.0.0/8,\n203.0.113.0/24; ")).toEqual(["10.0.0.0/8", "203.0.113.0/24"]);
    expect(readNetworks("  ")).toEqual([]);
  });
});

describe("firm settings", () => {
  const provider = {
    provider: null,
    redirect_uri: "https://finer.example/api/v1/sso/callback",
    domains: ["acme.example"],
    roles: ["administrator", "risk_analyst"],
    proposal: null,
  };

  function open() {
    const server = serverWith([]);
    server.on("GET /api/v1/firm", () => [200, me.tenant]);
    server.on("GET /api/v1/sso/provider", () => [200, provider]);
    server.on("GET /api/v1/firm/sign-in", () => [200, { second_factor_required: true, proposal: null }]);
    return { server, ...openApp("/settings") };
  }

  it("saves the name and warns of a colour that cannot be read", async () => {
    const { server, user } = open();
    server.on("PUT /api/v1/firm", () => [200, { ...me.tenant, name: "New" }]);
    const name = await screen.findByLabelText("Name");
    await user.clear(name);
    await user.type(name, "New");
    const colour = screen.getByLabelText("Colour");
    await user.clear(colour);
    await user.type(colour, "#ffee00");
    expect(screen.getByText(/Light: contrast 1\.\d : 1, under what is needed/)).toBeTruthy();
    const [save] = screen.getAllByRole("button", { name: "Save" });
    if (save) await user.click(save);
    await waitFor(() => expect(server.sent("PUT /api/v1/firm")).toHaveLength(1));
    expect(await server.sent("PUT /api/v1/firm")[0]?.json()).toMatchObject({
      name: "New",
      primary_color: "#ffee00",
    });
  });

  it("tests discovery and shows why a provider cannot be used", async () => {
    const { server, user } = open();
    server.on("POST /api/v1/sso/discovery", () =>
      problem(502, "This provider cannot be used: nobody answers."),
    );
    await user.type(await screen.findByLabelText("Issuer"), "https://id.acme.example");
    await user.click(screen.getByRole("button", { name: "Test discovery" }));
    expect(await screen.findByText(/nobody answers/)).toBeTruthy();
  });

  it("sends the role table in its order", async () => {
    const { server, user } = open();
    server.on("PUT /api/v1/sso/provider", () => [200, {}]);
    await user.type(await screen.findByLabelText("Name on the button"), "Acme ID");
    await user.type(screen.getByLabelText("Issuer"), "https://id.acme.example");
    await user.type(screen.getByLabelText("Client id"), "finer");
    await user.type(screen.getByLabelText("Client secret"), "s3cret");
    for (const value of ["b", "a"]) {
      await user.click(screen.getByRole("button", { name: "Add a row" }));
      const fields = screen.getAllByPlaceholderText("Value, e.g. a group");
      const last = fields.at(-1);
      if (last) await user.type(last, value);
    }
    await user.click(screen.getByRole("button", { name: "Move row 2 up" }));
    const save = screen.getAllByRole("button", { name: "Save" }).at(-1);
    if (save) await user.click(save);
    await waitFor(() => expect(server.sent("PUT /api/v1/sso/provider")).toHaveLength(1));
    const body = await server.sent("PUT /api/v1/sso/provider")[0]?.json();
    expect(body.role_map.map((row: { value: string }) => row.value)).toEqual(["a", "b"]);
    expect(body).toMatchObject({
      client_secret: "s3cret",
      enabled: false,
      scopes: ["openid", "profile", "email"],
    });
  });
});

describe("signing in by a firm's provider", () => {
  it("offers it for the firm in the address, and sends no more than the domain of an address", async () => {
    const server = new Server();
    server.me = null;
    server.on("POST /api/v1/sso/offers", () => [200, { firm: "acme", name: "Acme ID" }]);
    server.on("POST /api/v1/sso/attempts", () => problem(502, "Acme ID cannot be used at the moment."));
    const { user } = openApp("/sign-in?firm=acme");
    const button = await screen.findByRole("button", { name: "Continue with Acme ID" });
    expect(await server.sent("POST /api/v1/sso/offers")[0]?.json()).toEqual({ firm: "acme" });
    await user.type(screen.getByLabelText("E-mail"), "ana@acme.example");
    await waitFor(() => expect(server.sent("POST /api/v1/sso/offers")).toHaveLength(2));
    expect(await server.sent("POST /api/v1/sso/offers")[1]?.json()).toEqual({
      email: "anybody@acme.example",
    });
    expect(button).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Continue with Acme ID" }));
    expect(await screen.findByText(/cannot be used at the moment/)).toBeTruthy();
  });

  it("says that the provider did not let somebody in", async () => {
    const server = new Server();
    server.me = null;
    openApp("/sign-in?sso=refused");
    expect((await screen.findByRole("alert")).textContent).toContain("did not let you in");
  });
});
