import { beforeEach, describe, expect, it } from "vitest";
import { signOut } from "../src/features/identity/session";
import { newSheet, recallSheets, rememberSheets } from "../src/features/workspace/sheets";
import { recall, remember } from "../src/shared/storage";
import { Server } from "./support/server";

const sheet = newSheet("Query 1", {
  statement: "select * from orders where customer_id = :who",
  values: { who: "c-4711" },
});

beforeEach(() => localStorage.clear());

describe("Queries that somebody has open", () => {
  it("are kept in this browser without the values of their parameters", () => {
    rememberSheets("usr_1", { open: [sheet], at: sheet.id });
    expect(recallSheets("usr_1").open[0]?.statement).toBe(sheet.statement);
    expect(JSON.stringify(localStorage)).not.toContain("c-4711");
  });

  it("are forgotten with signing out, and preferences are not", async () => {
    new Server();
    rememberSheets("usr_1", { open: [sheet], at: sheet.id });
    remember("look", "dark");
    await signOut();
    expect(JSON.stringify(localStorage)).not.toContain("orders");
    expect(recall("look", "")).toBe("dark");
  });
});
