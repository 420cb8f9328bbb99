import { screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { openApp } from "./support/app";
import { alertOf, me } from "./support/data";
import { Server } from "./support/server";

/** What an attacker sends where objects are read: own members that a careless merge would follow to the prototype. */
const POISON = JSON.parse(
  '{"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}}',
) as Record<string, unknown>;
const QUERY = "__proto__[polluted]=yes&constructor[prototype][polluted]=yes&__proto__.polluted=yes";

function polluted(): unknown {
  return ({} as Record<string, unknown>).polluted ?? ([] as unknown as Record<string, unknown>).polluted;
}

afterEach(() => {
  localStorage.clear();
});

describe("nothing that comes in reaches the prototype of objects", () => {
  it("neither answers of the server nor the address nor what the browser keeps", async () => {
    for (const key of ["finer.device", `finer.user.${me.user.id}`, `finer.views.fraud.${me.user.id}`])
      localStorage.setItem(key, JSON.stringify(key.includes("views") ? [{ name: "x", ...POISON }] : POISON));
    const server = new Server();
    server.me = {
      ...me,
      ...POISON,
      tenant: { ...me.tenant, branding: { ...me.tenant.branding, ...POISON } },
    };
    server.alerts = [1, 2, 3].map((n) => ({ ...alertOf(n), ...POISON }));
    server.on("POST /api/v1/sso/offers", () => [200, { ...POISON, firm: null, name: null }]);
    openApp(`/fraud?${QUERY}`);
    expect(await screen.findByRole("heading", { name: /Fraud/ })).toBeTruthy();
    expect(polluted()).toBeUndefined();
  });

  it("nor a problem that the server tells", async () => {
    const server = new Server();
    server.on("GET /api/v1/alerts", () => [
      422,
      { ...POISON, type: "x", title: "No", detail: "It does not go." },
    ]);
    openApp("/fraud");
    expect((await screen.findAllByText(/It does not go/)).length).toBeGreaterThan(0);
    expect(polluted()).toBeUndefined();
  });
});
