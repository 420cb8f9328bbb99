/** What a dashboard shows: held in the address, so that it can be sent to somebody. */
export const SPANS = ["1h", "6h", "24h", "7d", "30d", "90d"] as const;
export type SpanName = (typeof SPANS)[number];

export const SPAN_WORDS: Record<SpanName, string> = {
  "1h": "Hour",
  "6h": "6 hours",
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  "90d": "90 days",
};

/** Which times a dashboard can show, and which it shows without being asked. */
export interface Times {
  spans: readonly SpanName[];
  usual: SpanName;
}

export const ANY_TIME: Times = { spans: SPANS, usual: "24h" };
export const FROM_A_DAY: Times = { spans: ["24h", "7d", "30d", "90d"], usual: "7d" };
export const DAYS: Times = { spans: ["7d", "30d", "90d"], usual: "30d" };

export interface BoardView {
  span: SpanName;
  region?: string;
  channel?: string;
}

export function parseBoardView(search: Record<string, unknown>, { spans, usual }: Times): BoardView {
  const view: BoardView = { span: spans.find((each) => each === search.span) ?? usual };
  for (const key of ["region", "channel"] as const) {
    const value = search[key];
    if (typeof value === "string" && value !== "") view[key] = value.slice(0, 64);
  }
  return view;
}

export function boardSearch(view: BoardView, { usual }: Times): Record<string, string> {
  const search: Record<string, string> = view.span === usual ? {} : { span: view.span };
  if (view.region) search.region = view.region;
  if (view.channel) search.channel = view.channel;
  return search;
}

/** The address of the stream of a dashboard as it is narrowed down. */
export function streamUrl(path: string, view: BoardView): string {
  const search = new URLSearchParams({ span: view.span });
  if (view.region) search.set("region", view.region);
  if (view.channel) search.set("channel", view.channel);
  return `${path}?${search}`;
}

/** "+1.2 points": how far two shares lie apart. */
export function pointsText(difference: number): string {
  const points = Math.round(difference * 1000) / 10;
  return `${points > 0 ? "+" : points < 0 ? "−" : "±"}${Math.abs(points)} points`;
}

/** "99.95 %", "0.084 %": with the digits that tell it from its goal; "–" when nothing was measured. */
export function shareText(share: number | null): string {
  if (share === null) return "–";
  const percent = share * 100;
  const options =
    Math.abs(percent) < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: percent < 90 ? 1 : 2 };
  return `${percent.toLocaleString("en", options)} %`;
}

/** "31.0 %", "100.0 %": all of a column with one decimal, so that they stand below each other; "–" when there is none. */
export function percentText(share: number | null | undefined): string {
  if (share === null || share === undefined) return "–";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(share * 100).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} %`;
}

/** A label as people read it: what has none, and what is counted together. */
export function labelText(label: string): string {
  if (label === "") return "Not given";
  return label === "(other)" ? "All others" : label;
}

const COUNTRIES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** A region as people read it: "Philippines" for the code PH; a name stays what it is. */
export function regionText(region: string): string {
  return (/^[A-Z]{2}$/.test(region) ? COUNTRIES.of(region) : null) ?? labelText(region);
}
