import type { Alert } from "./filter";

/** What the live stream adds to the pages that were fetched. */
export interface Feed {
  /** New alerts on top of the pages, newest first. */
  live: readonly Alert[];
  /** New alerts that wait to be shown, newest first. */
  waiting: readonly Alert[];
  /** The latest version of alerts that changed since they were fetched. */
  changed: ReadonlyMap<string, Alert>;
  /** When each new alert was shown, so that it can flash. */
  shownAt: ReadonlyMap<string, number>;
  /** Alerts that no longer belong in the list and were put away by hand. */
  hidden: ReadonlySet<string>;
}

export const EMPTY: Feed = {
  live: [],
  waiting: [],
  changed: new Map(),
  shownAt: new Map(),
  hidden: new Set(),
};

/** More waiting or live rows than this are better fetched again than carried along. */
export const MOST = 500;

interface Arrival {
  alerts: readonly Alert[];
  /** Ids on the fetched pages. */
  known: ReadonlySet<string>;
  belongs(alert: Alert): boolean;
  hold: boolean;
  now: number;
}

export function receive(feed: Feed, { alerts, known, belongs, hold, now }: Arrival): Feed {
  const changed = new Map(feed.changed);
  const live = [...feed.live];
  let waiting = [...feed.waiting];
  const shownAt = new Map(feed.shownAt);
  for (const alert of alerts) {
    const shown = known.has(alert.id) || live.some((each) => each.id === alert.id);
    if (shown) {
      const before = changed.get(alert.id);
      if (!before || before.version <= alert.version) changed.set(alert.id, alert);
      continue;
    }
    // One that was judged while it waited is not news any more.
    waiting = waiting.filter((each) => each.id !== alert.id);
    if (!belongs(alert)) continue;
    if (hold) waiting.unshift(alert);
    else {
      live.unshift(alert);
      shownAt.set(alert.id, now);
    }
  }
  return { ...feed, live, waiting, changed, shownAt };
}

/** Shows what waited. */
export function release(feed: Feed, now: number): Feed {
  const shownAt = new Map(feed.shownAt);
  for (const alert of feed.waiting) shownAt.set(alert.id, now);
  return { ...feed, live: [...feed.waiting, ...feed.live], waiting: [], shownAt };
}

/** After the pages were fetched anew at `asOf`: keeps only what is newer than they are. */
export function rebase(feed: Feed, asOf: string): Feed {
  const newer = (alert: Alert) => alert.raised_at >= asOf;
  return { ...feed, live: feed.live.filter(newer), waiting: feed.waiting.filter(newer), hidden: new Set() };
}

/** Puts away the rows that no longer belong in the list. */
export function tidy(feed: Feed, rows: readonly Alert[], belongs: (alert: Alert) => boolean): Feed {
  const gone = rows.filter((row) => !belongs(row)).map((row) => row.id);
  return { ...feed, hidden: new Set([...feed.hidden, ...gone]) };
}

/** The rows to show: live ones on top of the pages, each once, each in its latest version. */
export function merge(feed: Feed, pages: readonly (readonly Alert[])[]): Alert[] {
  const seen = new Set(feed.hidden);
  const rows: Alert[] = [];
  const fetched = pages.flat();
  const onPages = new Set(fetched.map((alert) => alert.id));
  for (const alert of [...feed.live.filter((each) => !onPages.has(each.id)), ...fetched]) {
    if (seen.has(alert.id)) continue;
    seen.add(alert.id);
    const latest = feed.changed.get(alert.id);
    rows.push(latest && latest.version > alert.version ? latest : alert);
  }
  return rows;
}
