/** How a dashboard is narrowed down: held in the address, so that it can be sent to somebody. */
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

export const FILTERS_MAX = 6;

export interface BoardFilters {
  /** In the place of each tile's own; undefined leaves every tile its own. */
  span?: SpanName;
  values: Record<string, string>;
}

/** Reads `span=7d&filter=["region:GB"]`; what makes no sense is left out. */
export function parseFilters(search: Record<string, unknown>): BoardFilters {
  const given = Array.isArray(search.filter) ? search.filter : [search.filter];
  const values: Record<string, string> = {};
  for (const text of given.slice(0, FILTERS_MAX)) {
    if (typeof text !== "string") continue;
    const colon = text.indexOf(":");
    if (colon > 0 && colon <= 64 && colon < text.length - 1) {
      values[text.slice(0, colon)] = text.slice(colon + 1, colon + 201);
    }
  }
  return { span: SPANS.find((each) => each === search.span), values };
}

export function filterTexts({ values }: BoardFilters): string[] {
  return Object.entries(values)
    .map(([name, value]) => `${name}:${value}`)
    .sort();
}

export function filterSearch(filters: BoardFilters): Record<string, unknown> {
  const texts = filterTexts(filters);
  return { ...(filters.span ? { span: filters.span } : {}), ...(texts.length ? { filter: texts } : {}) };
}

export function streamUrl(id: string, filters: BoardFilters): string {
  const search = new URLSearchParams();
  if (filters.span) search.set("span", filters.span);
  for (const text of filterTexts(filters)) search.append("filter", text);
  const query = search.toString();
  return `/api/v1/dashboards/${encodeURIComponent(id)}/stream${query ? `?${query}` : ""}`;
}

/** The filters as words: "region is GB and channel is web". */
export function filterWords({ values }: BoardFilters): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} is ${value}`)
    .join(" and ");
}
