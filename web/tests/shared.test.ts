import { renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { AA, contrast, inkOn, readableOn } from "../src/shared/colour";
import { csv } from "../src/shared/csv";
import { amountText, moneyText, shortMoney } from "../src/shared/money";
import { counted, duration, measure, milliseconds } from "../src/shared/numbers";
import { safeReturn } from "../src/shared/paths";
import { clockTime, fullTime, instantOf, localInput, shortTime, startOfToday } from "../src/shared/time";
import { useFailure } from "../src/shared/useFailure";

describe("money", () => {
  it("shows as many digits as the currency has", () => {
    expect(moneyText({ minor: 1_234_567, currency: "PHP", text: "12345.67 PHP" })).toBe("12,345.67 PHP");
    expect(amountText({ minor: 1_234_567, currency: "VND", text: "1234567 VND" })).toBe("1,234,567");
    expect(amountText({ minor: -5, currency: "BHD", text: "-0.005 BHD" })).toBe("-0.005");
  });
  it("shortens large amounts only", () => {
    expect(shortMoney({ minor: 9_999_999, currency: "USD", text: "99999.99 USD" })).toBe("99,999.99 USD");
    expect(shortMoney({ minor: 123_456_789, currency: "USD", text: "1234567.89 USD" })).toBe("1.235M USD");
  });
});

describe("time", () => {
  const now = new Date("2026-11-20T06:00:00Z");
  it("is the tenant's, not the browser's", () => {
    expect(clockTime(now, "Asia/Manila")).toBe("14:00:00");
    expect(shortTime("2026-11-20T05:59:58Z", "Asia/Manila", now)).toBe("13:59:58");
    expect(shortTime("2026-11-19T05:59:58Z", "Asia/Manila", now)).toBe("19 Nov 13:59");
    expect(shortTime("2025-11-19T05:59:58Z", "Asia/Manila", now)).toBe("19 Nov 2025");
    expect(fullTime(now, "Asia/Manila")).toContain("(Asia/Manila)");
  });
  it("turns a wall clock into the instant, summer time included", () => {
    expect(instantOf("2026-11-20T14:00", "Asia/Manila").toISOString()).toBe("2026-11-20T06:00:00.000Z");
    expect(instantOf("2026-03-29T12:00", "Europe/Berlin").toISOString()).toBe("2026-03-29T10:00:00.000Z");
    expect(instantOf("2026-03-29T01:30", "Europe/Berlin").toISOString()).toBe("2026-03-29T00:30:00.000Z");
    expect(startOfToday("Asia/Manila", now).toISOString()).toBe("2026-11-19T16:00:00.000Z");
  });
  it("goes to an input and back", () => {
    for (const zone of ["UTC", "Asia/Manila", "America/New_York", "Asia/Kathmandu"]) {
      expect(instantOf(localInput(now, zone), zone).toISOString()).toBe(now.toISOString());
    }
  });
});

describe("numbers", () => {
  it("show the digits that matter", () => {
    expect([measure(1234.56), measure(12.34), measure(1.239), measure(0.012345), measure(3)]).toEqual([
      "1,235",
      "12.3",
      "1.24",
      "0.0123",
      "3",
    ]);
    expect([milliseconds(null), milliseconds(11.44), milliseconds(1240)]).toEqual(["–", "11.4 ms", "1.24 s"]);
    expect([duration(0.04), duration(45), duration(600), duration(9000), duration(400_000)]).toEqual([
      "0 s",
      "45 s",
      "10 min",
      "2.5 h",
      "5 d",
    ]);
    expect([counted(1, "alert"), counted(1200, "alert")]).toEqual(["1 alert", "1,200 alerts"]);
  });
});

describe("csv", () => {
  it("quotes what needs it and defuses formulas", () => {
    const text = csv(
      ["a", "b"],
      [
        ["x,y", '=HYPERLINK("http://x")'],
        [-3, null],
      ],
    );
    expect(text).toBe('a,b\r\n"x,y","\'=HYPERLINK(""http://x"")"\r\n-3,\r\n');
  });
  it("knows every sign that a spreadsheet runs, behind blanks too", () => {
    for (const sign of ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]) {
      for (const blanks of ["", " ", "\u00a0 "]) {
        expect(csv([], [[`${blanks}${sign}1+1`]])).toBe(`\r\n'${blanks}${sign}1+1\r\n`);
      }
    }
    for (const sign of ["\t", "\r", "\n"]) expect(csv([], [[`${sign}=1`]])).toContain(`'${sign}=1`);
    for (const text of ["plain", "a=b", "1-1", "'=1"]) expect(csv([], [[text]])).toBe(`\r\n${text}\r\n`);
  });
});

describe("the colour of a tenant", () => {
  it("stays readable on light and dark, whatever it is", () => {
    for (const brand of ["#ffff00", "#000000", "#ffffff", "#0f5c5c", "#ff6600", "#808080", "#101418"]) {
      for (const ground of ["#ffffff", "#151c24"]) {
        const shown = readableOn(ground, brand);
        expect(contrast(ground, shown)).toBeGreaterThanOrEqual(AA);
        expect(contrast(shown, inkOn(shown))).toBeGreaterThanOrEqual(AA);
      }
    }
  });
});

describe("the way back after signing in", () => {
  it("stays on this site", () => {
    expect(safeReturn("/fraud?min=100#x")).toBe("/fraud?min=100#x");
    for (const next of [
      undefined,
      "",
      "//evil.example/x",
      "/\\evil.example",
      "https://evil.example",
      "javascript:1",
    ]) {
      expect(safeReturn(next)).toBe("/");
    }
    expect(safeReturn("/sign-in?next=/fraud")).toBe("/");
  });
});

describe("a failure", () => {
  it("stays while it is tried again, and is not that of what is asked for next", () => {
    const failed = new Error("No answer.");
    const { result, rerender } = renderHook(({ error, key }) => useFailure({ data: undefined, error }, key), {
      initialProps: { error: failed as Error | null, key: ["board", "24h"] },
    });
    rerender({ error: null, key: ["board", "24h"] });
    expect(result.current).toBe(failed);
    rerender({ error: null, key: ["board", "7d"] });
    expect(result.current).toBeNull();
  });
});
