import { screen, waitFor } from "@testing-library/react";
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

it("keeps what is typed while the firm's settings are being saved", async () => {
  const server = new Server();
  server.me = { ...me, permissions: ["firm:read", "firm:write"] };
  server.on("GET /api/v1/firm", () => [200, firm]);
  server.on("GET /api/v1/firm/sign-in", () => [200, { second_factor_required: false, proposal: null }]);
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
  const server = new Server();
  server.me = { ...me, permissions: ["firm:read", "firm:write"] };
  server.on("GET /api/v1/firm", () => [200, firm]);
  server.on("GET /api/v1/firm/sign-in", () => [200, { second_factor_required: false, proposal: null }]);
  const { user, router } = openApp("/settings");
  await user.type(await screen.findByLabelText("Logo text"), " Bank");
  server.on("GET /api/v1/firm", () => [200, { ...firm, name: "Visayas" }]);
  await router.options.context.client.refetchQueries({ queryKey: firmQuery.queryKey });
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Visayas"));
  expect(screen.getByLabelText<HTMLInputElement>("Logo text").value).toBe("Luzon Bank");
});
