import { useEffect, useState } from "react";
import { amountText, type Money, moneyText } from "../money";
import { useSession } from "../session";
import { fullTime, shortTime } from "../time";

/** An instant in the tenant's time zone; the whole of it on hover. */
export function When({ at }: { at: string }) {
  const { timeZone } = useSession();
  return (
    <time dateTime={at} title={fullTime(at, timeZone)} className="num">
      {shortTime(at, timeZone)}
    </time>
  );
}

/** An amount to be set right-aligned in a column: digits first in weight, currency quiet. */
export function Amount({ money }: { money: Money }) {
  return (
    <span className="amount num" title={moneyText(money)}>
      {amountText(money)} <span className="currency">{money.currency}</span>
    </span>
  );
}

/** "as of 14:03:27", or with its day when that is not today, with a mark when the number has grown old although it should be live. */
export function AsOf({ at, staleAfterS }: { at: string | undefined; staleAfterS?: number }) {
  const { timeZone } = useSession();
  const now = useNow(1000);
  if (!at) return null;
  const old = staleAfterS !== undefined && now - Date.parse(at) > staleAfterS * 1000;
  return (
    <span className={old ? "asof asof-old" : "asof"} title={fullTime(at, timeZone)}>
      as of <span className="num">{shortTime(at, timeZone, new Date(now))}</span>
      {old ? " (old)" : ""}
    </span>
  );
}

/** The clock of this browser, ticking. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
