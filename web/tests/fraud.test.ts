import { describe, expect, it } from "vitest";
import { EMPTY, type Feed, merge, rebase, receive, release, tidy } from "../src/features/fraud/feed";
import {
  type Alert,
  DEFAULT_FILTER,
  type Filter,
  matches,
  parseFilter,
  RANGES,
  toExport,
  toQuery,
  toSearch,
} from "../src/features/fraud/filter";
import { lastHour } from "../src/features/fraud/perMinute";
import { cardText, placeText, scoreText, whyText } from "../src/features/fraud/words";
import { alertOf, NOW } from "./support/data";

const zone = "Asia/Manila";

it("tells of a small score what it is, as the reasons beside it do", () => {
  expect([0.8134, 0.05, 0.000047, 0].map(scoreText)).toEqual(["81.3 %", "5 %", "0.0047 %", "0 %"]);
});

/** A small generator, so that a failure can be seen again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

describe("the filter", () => {
  it("survives the address", () => {
    const random = randomOf(1);
    for (let round = 0; round < 300; round += 1) {
      const filter: Filter = {
        state: (["open", "confirmed", "dismissed", "all"] as const)[random(4)] ?? "open",
        sort: random(2) ? "newest" : "amount",
      };
      if (random(2)) filter.action = random(2) ? "block" : "review";
      if (random(2)) filter.rule = "high_amount";
      if (random(2)) filter.q = ["4711", "7-Eleven", "a&b=c"][random(3)] ?? "x";
      if (random(2)) filter.min = 1 + random(5000);
      if (random(2)) filter.range = RANGES[random(RANGES.length)];
      if (filter.range === "custom") filter.from = "2026-11-20T06:00:00.000Z";
      expect(parseFilter(toSearch(filter))).toEqual(filter);
    }
  });
  it("leaves out what it does not understand", () => {
    const junk = { state: "x", sort: 3, action: "approve", min: "-4", range: "aeon", q: {}, from: "soon" };
    expect(parseFilter(junk)).toEqual(DEFAULT_FILTER);
    expect(parseFilter({ q: 4711 }).q).toBe("4711");
  });
  it("asks the API for today in the tenant's zone", () => {
    const query = toQuery({ ...DEFAULT_FILTER, state: "all", range: "today" }, zone, new Date(NOW));
    expect(query).toMatchObject({ state: undefined, from: "2026-11-19T16:00:00.000Z", to: undefined });
  });
  it("asks for an export in words that are the same an hour later", () => {
    for (const range of RANGES) {
      const filter: Filter = { ...DEFAULT_FILTER, range, from: "2026-11-20T05:00:00.000Z" };
      const later = new Date(Date.parse(NOW) + 3_600_000);
      expect(toExport(filter, zone, later)).toEqual(toExport(filter, zone, new Date(NOW)));
    }
    expect(toExport({ ...DEFAULT_FILTER, range: "24h" }, zone)).toMatchObject({
      from: undefined,
      last_minutes: 1440,
    });
  });
  it("knows which alerts belong", () => {
    const alert = alertOf(1);
    const fits = (change: Partial<Filter>) =>
      matches(alert, { ...DEFAULT_FILTER, ...change }, zone, new Date(NOW));
    expect(fits({})).toBe(true);
    expect(fits({ state: "confirmed" })).toBe(false);
    expect(fits({ action: "review" })).toBe(false);
    expect(fits({ rule: "velocity_10s" })).toBe(false);
    expect(fits({ min: 1000 })).toBe(true);
    expect(fits({ min: 1001 })).toBe(false);
    expect(fits({ q: "MERCHANT 1" })).toBe(true);
    expect(fits({ q: "nobody" })).toBe(false);
  });
  it("takes an alert without an exchange rate as worth nothing in USD", () => {
    expect(matches(alertOf(1, { amount_usd: null }), { ...DEFAULT_FILTER, min: 1 }, zone)).toBe(false);
  });
});

describe("the feed", () => {
  const belongs = (alert: Alert) => alert.state === "open";
  const arrive = (feed: Feed, alerts: Alert[], hold = false, known: string[] = []) =>
    receive(feed, { alerts, known: new Set(known), belongs, hold, now: 0 });

  it("puts new alerts on top, or lets them wait", () => {
    const shown = arrive(EMPTY, [alertOf(4), alertOf(5)]);
    expect(merge(shown, [[alertOf(3)]]).map((alert) => alert.event_id)).toEqual(["evt-5", "evt-4", "evt-3"]);
    const held = arrive(shown, [alertOf(6)], true);
    expect(held.waiting).toHaveLength(1);
    expect(merge(held, [])).toHaveLength(2);
    expect(merge(release(held, 1), []).map((alert) => alert.event_id)).toEqual(["evt-6", "evt-5", "evt-4"]);
  });
  it("keeps the newest version, in whatever order they come", () => {
    const page = [alertOf(3)];
    const judged = alertOf(3, { state: "dismissed", version: 2 });
    const feed = arrive(arrive(EMPTY, [judged], false, [judged.id]), [alertOf(3)], false, [judged.id]);
    expect(merge(feed, [page])[0]?.version).toBe(2);
    expect(merge(feed, [[alertOf(3, { version: 3 })]])[0]?.version).toBe(3);
  });
  it("drops an alert that was judged while it waited", () => {
    const held = arrive(EMPTY, [alertOf(6)], true);
    expect(arrive(held, [alertOf(6, { state: "dismissed", version: 2 })], true).waiting).toEqual([]);
  });
  it("keeps only what is newer than a fresh fetch", () => {
    const feed = arrive(EMPTY, [alertOf(1), alertOf(9)]);
    expect(rebase(feed, alertOf(5).raised_at).live.map((alert) => alert.event_id)).toEqual(["evt-9"]);
  });
  it("puts judged rows away by hand", () => {
    const rows = [alertOf(1), alertOf(2, { state: "dismissed", version: 2 })];
    expect(merge(tidy(EMPTY, rows, belongs), [rows]).map((alert) => alert.event_id)).toEqual(["evt-1"]);
  });
  it("never shows an alert twice", () => {
    const random = randomOf(7);
    let feed = EMPTY;
    const page = [3, 2, 1].map((n) => alertOf(n));
    for (let round = 0; round < 500; round += 1) {
      const state = random(4) === 0 ? "dismissed" : "open";
      const alert = alertOf(random(40), { version: 1 + random(4), state });
      feed = arrive(
        feed,
        [alert],
        random(2) === 0,
        page.map((each) => each.id),
      );
      if (random(10) === 0) feed = release(feed, round);
      const ids = [...merge(feed, [page]), ...feed.waiting].map((each) => each.id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});

describe("alerts per minute", () => {
  it("fills the minutes that had none", () => {
    const counts = lastHour({ as_of: NOW, per_minute: [{ minute: "2026-11-20T05:58:00Z", alerts: 4 }] });
    expect([counts.length, counts[57], counts[59]]).toEqual([60, 4, 0]);
  });
  it("leaves out what is older", () => {
    const counts = lastHour({ as_of: NOW, per_minute: [{ minute: "2026-11-20T04:00:00Z", alerts: 4 }] });
    expect(Math.max(...counts)).toBe(0);
  });
});

describe("the words", () => {
  it("show no more of a card than four digits", () => {
    expect(cardText("1234")).toBe("**** 1234");
    expect(cardText(null)).toBe("–");
  });
  it("say where and why, also when little is known", () => {
    expect(placeText({ merchant_name: null, merchant_country: null })).toBe("No merchant");
    expect(whyText(alertOf(1, { reasons: ["A.", "B."] }))).toBe("A. (+1)");
    expect(whyText(alertOf(1, { reasons: [] }))).toBe("High amount");
  });
});
