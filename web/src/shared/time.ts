/** Times are shown in the tenant's time zone, whatever the browser's is. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${kind}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone, hourCycle: "h23" });
    formats.set(key, found);
  }
  return found;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

/** "14:03:27" */
export function clockTime(at: string | Date, zone: string): string {
  return format(zone, "clock", CLOCK).format(new Date(at));
}

/** "14:03:27" today, "19 Nov 14:03" this year, "19 Nov 2025" before. */
export function shortTime(at: string | Date, zone: string, now: Date = new Date()): string {
  const date = new Date(at);
  if (dayOf(date, zone) === dayOf(now, zone)) return clockTime(date, zone);
  if (dayOf(date, zone).slice(0, 4) === dayOf(now, zone).slice(0, 4)) {
    const options: Intl.DateTimeFormatOptions = {
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    };
    return format(zone, "short", options).format(date).replace(",", "");
  }
  return dateText(date, zone);
}

/** "19 Nov 2026" */
export function dateText(at: string | Date, zone: string): string {
  return format(zone, "date", { day: "numeric", month: "short", year: "numeric" }).format(new Date(at));
}

/** "20 Nov 2026 14:03:27", where all moments of a column are read beside one another. */
export function momentText(at: string | Date, zone: string): string {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };
  return format(zone, "moment", { ...options, ...CLOCK })
    .format(new Date(at))
    .replace(",", "");
}

/** "Fri 20 Nov 2026, 14:03:27 (Asia/Manila)", for the hover. */
export function fullTime(at: string | Date, zone: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
  };
  const text = format(zone, "full", { ...options, ...CLOCK }).format(new Date(at));
  return `${text} (${zone})`;
}

/** "20 Nov", of a day that is known as one: an instant of it in UTC. */
export function dayText(at: number): string {
  return format("UTC", "day", { day: "numeric", month: "short" }).format(at);
}

/** "2026-11-20", the calendar day in the zone. */
export function dayOf(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(at);
}

/** The instant at which a wall clock in the zone shows `local` ("2026-11-20T14:03" or a day). */
export function instantOf(local: string, zone: string): Date {
  const wanted = Date.parse(`${local.length <= 10 ? `${local}T00:00` : local}Z`);
  // Two rounds, so that a change of the offset between the first guess and the answer is followed.
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) guess = wanted - offset(new Date(guess), zone);
  return new Date(guess);
}

/** The start of today in the zone. */
export function startOfToday(zone: string, now: Date = new Date()): Date {
  return instantOf(dayOf(now, zone), zone);
}

/** "2026-11-20T14:03" as the zone's wall clock shows it: the value of an input of type datetime-local. */
export function localInput(at: string | Date, zone: string): string {
  const date = new Date(at);
  return `${dayOf(date, zone)}T${clockTime(date, zone).slice(0, 5)}`;
}

/** Milliseconds that the zone's wall clock is ahead of UTC at an instant. */
function offset(at: Date, zone: string): number {
  const shown = Date.parse(`${dayOf(at, zone)}T${clockTime(at, zone)}Z`);
  return shown - Math.floor(at.getTime() / 1000) * 1000;
}
