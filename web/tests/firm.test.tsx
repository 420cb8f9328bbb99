import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { firmQuery } from "../src/features/identity/firm/queries";
import { openApp } from "./support/app";
import { me } from "./support/data";
import { Server } from "./support/server";

const firm: Schema<"Tenant"> = {
  ...me.tenant,
  timezone: "Asia/Manila",
  base_currency: "PHP",
  branding: { logo_text: "Luzon", primary_color: null },
};

/** A server with the firm, and somebody who has these permissions. */
function firmOf(...permissions: Schema<"Me">["permissions"]): Server {
  const server = new Server();
  server.me = { ...me, permissions };
  server.on("GET /api/v1/firm", () => [200, firm]);
  server.on("GET /api/v1/firm/sign-in", () => [200, { second_factor_required: false, proposal: null }]);
  return server;
}

it("keeps what is typed while the firm's settings are being saved", async () => {
  const server = firmOf("firm:read", "firm:write");
  const { user } = openApp("/settings");
  const name = await screen.findByLabelText<HTMLInputElement>("Name");
  await user.clear(name);
  await user.type(name, "Luzon Bank ");
  const go = server.hold("PUT /api/v1/firm", () => [200, { ...firm, name: "Luzon Bank" }]);
  await user.click(screen.getAllByRole("button", { name: "Save" })[0] as HTMLElement);
  await waitFor(() => expect(server.sent("PUT /api/v1/firm")).toHaveLength(1));
  const logo = screen.getByLabelText<HTMLInputElement>("Logo text");
  await user.type(logo, " Bank");
  go();
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Luzon Bank"));
  expect(screen.getByLabelText<HTMLInputElement>("Logo text").value).toBe("Luzon Bank");
});

it("shows what somebody else has saved where nothing is written", async () => {
  const server = firmOf("firm:read", "firm:write");
  const { user, router } = openApp("/settings");
  await user.type(await screen.findByLabelText("Logo text"), " Bank");
  server.on("GET /api/v1/firm", () => [200, { ...firm, name: "Visayas" }]);
  await router.options.context.client.refetchQueries({ queryKey: firmQuery.queryKey });
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Visayas"));
  expect(screen.getByLabelText<HTMLInputElement>("Logo text").value).toBe("Luzon Bank");
});

const saveOf = (form: string) =>
  within(screen.getByRole("form", { name: form })).getByRole("button", { name: "Save" });

it("keeps a name that is typed back to what it was while another is being saved", async () => {
  const server = firmOf("firm:read", "firm:write");
  openApp("/settings");
  const name = await screen.findByLabelText<HTMLInputElement>("Name");
  fireEvent.change(name, { target: { value: "Visayas" } });
  const go = server.hold("PUT /api/v1/firm", () => [200, { ...firm, name: "Visayas" }]);
  fireEvent.click(saveOf("The firm"));
  await waitFor(() => expect(server.sent("PUT /api/v1/firm")).toHaveLength(1));
  fireEvent.change(name, { target: { value: firm.name } });
  go();
  await screen.findByText(/People see it with their next page/);
  expect(name.value).toBe(firm.name);
  // It differs from what is saved by now.
  server.on("PUT /api/v1/firm", () => [200, firm]);
  fireEvent.click(saveOf("The firm"));
  await waitFor(() => expect(server.sent("PUT /api/v1/firm")).toHaveLength(2));
  expect(await server.sent("PUT /api/v1/firm")[1]?.json()).toMatchObject({ name: firm.name });
});

it("keeps what is written of the sign-in rules while they are being saved", async () => {
  const server = firmOf("firm:read", "firm:write");
  openApp("/settings");
  const needed = await screen.findByLabelText("Everybody needs a second factor");
  fireEvent.click(needed);
  const path = "PUT /api/v1/firm/sign-in";
  const go = server.hold(path, () => [200, { second_factor_required: true, proposal: null }]);
  fireEvent.click(saveOf("Sign-in rules"));
  await waitFor(() => expect(server.sent(path)).toHaveLength(1));
  fireEvent.click(needed);
  go();
  fireEvent.change(await screen.findByLabelText("Why it is needed no more"), {
    target: { value: "A trial." },
  });
  expect(screen.getByLabelText("Everybody needs a second factor").getAttribute("aria-checked")).toBe("false");
  server.on(path, () => [200, { second_factor_required: true, proposal: "pro_1" }]);
  fireEvent.click(saveOf("Sign-in rules"));
  await screen.findByText(/A change waits for a second administrator/);
  expect(await server.sent(path)[1]?.json()).toEqual({ second_factor_required: false, reason: "A trial." });
  // Until it is approved, what is in force stands there.
  expect(screen.getByLabelText("Everybody needs a second factor").getAttribute("aria-checked")).toBe("true");
});

const provider: Schema<"SsoProviderView"> = {
  id: "sso_1",
  name: "Luzon ID",
  issuer: "https://id.luzon.example",
  client_id: "finer",
  algorithms: ["RS256"],
  scopes: ["openid"],
  role_claim: "groups",
  role_map: [{ value: "risk", role: "risk_analyst" }],
  acr_values: [],
  amr_values: [],
  max_age_minutes: null,
  enabled: false,
  changed_at: "2026-11-20T06:00:00Z",
};
const ssoSettings: Schema<"SsoSettings"> = {
  provider,
  proposal: null,
  domains: [],
  redirect_uri: "https://finer.example/back",
  roles: ["risk_analyst", "auditor"],
};

it("keeps what is written of single sign-on while it is being saved, and forgets the secret that was sent", async () => {
  const server = firmOf("firm:read", "sso:read", "sso:write");
  server.on("GET /api/v1/sso/provider", () => [200, ssoSettings]);
  openApp("/settings");
  fireEvent.change(await screen.findByLabelText("Name on the button"), { target: { value: "Luzon " } });
  fireEvent.change(screen.getByLabelText("Client secret"), { target: { value: "hush" } });
  const saved = {
    ...ssoSettings,
    provider: { ...provider, name: "Luzon", changed_at: "2026-11-20T06:01:00Z" },
  };
  const go = server.hold("PUT /api/v1/sso/provider", () => {
    server.on("GET /api/v1/sso/provider", () => [200, saved]);
    return [200, saved];
  });
  fireEvent.click(saveOf("Provider"));
  await waitFor(() => expect(server.sent("PUT /api/v1/sso/provider")).toHaveLength(1));
  fireEvent.change(screen.getByLabelText("Roles come from the claim"), { target: { value: "roles" } });
  fireEvent.change(screen.getByLabelText("Value 1 of roles"), { target: { value: "fraud" } });
  go();
  const field = (label: string) => screen.getByLabelText<HTMLInputElement>(label).value;
  await waitFor(() => expect(field("Name on the button")).toBe("Luzon"));
  expect(field("Client secret")).toBe("");
  expect(field("Roles come from the claim")).toBe("roles");
  expect(field("Value 1 of roles")).toBe("fraud");
});

it("forgets the secret also where single sign-on waits for approval, and shows what is in force until then", async () => {
  const server = firmOf("firm:read", "sso:read", "sso:write");
  server.on("GET /api/v1/sso/provider", () => [200, ssoSettings]);
  openApp("/settings");
  const secret = await screen.findByLabelText<HTMLInputElement>("Client secret");
  fireEvent.change(secret, { target: { value: "hush" } });
  fireEvent.click(screen.getByLabelText("People may sign in by it"));
  fireEvent.change(screen.getByLabelText("Why"), { target: { value: "It was tried." } });
  const waits = { ...ssoSettings, proposal: "pro_1" };
  server.on("PUT /api/v1/sso/provider", () => {
    server.on("GET /api/v1/sso/provider", () => [200, waits]);
    return [200, waits];
  });
  fireEvent.click(saveOf("Provider"));
  await screen.findByText(/A change waits for a second administrator/);
  expect(secret.value).toBe("");
  expect(screen.getByLabelText("People may sign in by it").getAttribute("aria-checked")).toBe("false");
});

it("says that a change of single sign-on is saved where an older one still waits for approval", async () => {
  const server = firmOf("firm:read", "sso:read", "sso:write");
  const waits = { ...ssoSettings, proposal: "pro_1" };
  server.on("GET /api/v1/sso/provider", () => [200, waits]);
  openApp("/settings");
  fireEvent.change(await screen.findByLabelText("Name on the button"), { target: { value: "Luzon" } });
  server.on("PUT /api/v1/sso/provider", () => [200, { ...waits, provider: { ...provider, name: "Luzon" } }]);
  fireEvent.click(saveOf("Provider"));
  await screen.findByText("Saved, and switched off.");
  expect(screen.queryByText(/has to approve this/)).toBeNull();
});
