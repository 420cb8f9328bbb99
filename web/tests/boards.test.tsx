import { render, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schema } from "../src/api/client";
import { CurrencyTable } from "../src/features/operations/boards/CurrencyTable";
import type { Share } from "../src/features/operations/boards/queries";
import { ShareTable } from "../src/features/operations/boards/ShareTable";
import { percentText, regionText } from "../src/features/operations/boards/view";
import { TableBox } from "../src/shared/ui/TableBox";
import { openApp } from "./support/app";
import { me, NOW } from "./support/data";
import { problem, Server } from "./support/server";

const php = (minor: number) => ({ minor, currency: "PHP", text: (minor / 100).toFixed(2) });
const sold: Share[] = [
  {
    label: "web",
    records: 3,
    amount: php(400_000),
    margin: { revenue: php(300_000), cost: php(207_000), records: 2, share: 0.31, known: 0.75 },
  },
  { label: "app", records: 1, amount: php(100_000), margin: null },
];

describe("what each label has of revenue", () => {
  it("says what is left of it, and of how much of it that is known", () => {
    render(<ShareTable title="Channel" shares={sold} worth="Revenue" />);
    const cells = screen.getAllByRole("row").map((row) =>
      within(row)
        .queryAllByRole("cell")
        .map((cell) => cell.textContent),
    );
    expect(cells.slice(1)).toEqual([
      ["", "4,000.00", "930.00", "31.0 %", "75.0 %"],
      ["", "1,000.00", "–", "–", "–"],
    ]);
  });

  it("has no columns of margins where no cost is known", () => {
    render(<ShareTable title="Channel" shares={sold.slice(1)} worth="Revenue" />);
    expect(screen.queryByText("Margin")).toBeNull();
  });
});

describe("a table whose rows can be cards", () => {
  it("tells each value the name of its column, and what stands for several columns none", () => {
    render(
      <TableBox>
        <table>
          <thead>
            <tr>
              <th>Draft</th>
              <th>Hits</th>
              <th>Saves</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th>one</th>
              <td>7</td>
              <td>9</td>
            </tr>
            <tr>
              <th>two</th>
              <td colSpan={2}>Not priced yet</td>
            </tr>
          </tbody>
        </table>
      </TableBox>,
    );
    const names = screen.getAllByRole("cell").map((cell) => cell.getAttribute("data-label"));
    expect(names).toEqual(["Hits", "Saves", ""]);
  });
});

describe("amounts by currency", () => {
  it("say in every row what they are of: as a card, a row stands by itself", () => {
    const figures = ["revenue", "fees"].map((name) => ({
      name,
      records: 2,
      change: null,
      plan: null,
      amount: php(3),
      by_currency: [
        { records: 1, amount: php(1), converted: php(1) },
        { records: 1, amount: { ...php(2), currency: "SGD" }, converted: null },
      ],
    }));
    render(<CurrencyTable figures={figures} currency="PHP" />);
    const names = screen.getAllByRole("rowheader").map((head) => head.textContent);
    expect(names).toEqual(["Revenue", "Revenue", "Fees", "Fees"]);
  });
});

describe("a region", () => {
  it("is called the same whether records say its code or its name", () => {
    expect(["PH", "Philippines", "XX", "Metro Manila", "", "(other)"].map(regionText)).toEqual([
      "Philippines",
      "Philippines",
      "XX",
      "Metro Manila",
      "Not given",
      "All others",
    ]);
  });
});

describe("percentages of a column", () => {
  it("have one decimal, and are not nothing when they are little", () => {
    expect([0.31, 1, 0, -0.5, 0.0004, 0.9418, null].map(percentText)).toEqual([
      "31.0 %",
      "100.0 %",
      "0.0 %",
      "-50.0 %",
      "< 0.1 %",
      "94.2 %",
      "–",
    ]);
  });
});

describe("a dashboard of a firm that has sent nothing", () => {
  const stage = (change: number | null): Schema<"Figure"> => ({
    name: "placed",
    records: 0,
    change,
    plan: null,
    amount: php(0),
    by_currency: [],
  });
  const orders = (change: number | null, waiting = 0): Schema<"OrderBoard"> => ({
    ages: {
      as_of: NOW,
      edges_s: [3600],
      stages: [{ stage: "paid", counts: [waiting, 0], stuck: 0, usual_s: null, stuck_after_s: 7200 }],
      stuck: [],
    },
    as_of: NOW,
    behind_since: null,
    bucket_s: 3600,
    channels: [],
    choices: { regions: [], channels: [] },
    currency: "PHP",
    failed: [],
    newest: null,
    products: [],
    regions: [],
    series: [{ at: NOW, values: { placed: 0 } }],
    since: NOW,
    stages: [stage(change)],
  });
  let server: Server;

  beforeEach(() => {
    server = new Server();
    server.me = { ...me, permissions: ["orders:read"] };
  });

  it("says once what it would show, and leads to where there could be more", async () => {
    server.on("GET /api/v1/operations/orders", () => [200, orders(null)]);
    const { user, address } = openApp("/orders?region=PH");
    await screen.findByText("No records in the last 24 hours for Philippines");
    screen.getByText(/^With the first orders/);
    expect(screen.queryByText("Placed")).toBeNull();
    expect(screen.queryByText("no period before")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Look at 90 days, everywhere" }));
    await waitFor(() => expect(address()).toBe("/orders?span=90d"));
    await screen.findByText("No records in the last 90 days");
    expect(screen.queryByRole("button", { name: /Look at/ })).toBeNull();
  });

  it("says of when the newest record is where all are older than what is compared", async () => {
    server.on("GET /api/v1/operations/orders", () => [
      200,
      { ...orders(null), newest: "2025-10-26T00:00:00Z" },
    ]);
    openApp("/orders");
    await screen.findByText("The newest record that this page is made of is of 26 Oct 2025.");
    expect(screen.queryByText(/^With the first orders/)).toBeNull();
  });

  it.each([
    ["there was something before", orders(-1)],
    ["something waits still", orders(null, 3)],
    ["the numbers are behind", { ...orders(null), behind_since: NOW }],
  ])("shows its parts once %s", async (_, board) => {
    server.on("GET /api/v1/operations/orders", () => [200, board]);
    openApp("/orders");
    await screen.findByRole("heading", { name: "Placed" });
    expect(screen.queryByText(/No records in the last/)).toBeNull();
  });

  it("does not say what amounts are in before it is known", async () => {
    server.me = { ...me, permissions: ["finance:read"] };
    server.on("GET /api/v1/operations/finance", () => problem(500, "Something broke."));
    openApp("/finance");
    await screen.findByText("Revenue by product could not be loaded");
    screen.getByText("of all regions and channels");
    expect(screen.queryByText("in", { exact: true })).toBeNull();
  });
});
