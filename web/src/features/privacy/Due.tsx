import { useSession } from "../../shared/session";
import { fullTime } from "../../shared/time";
import { useNow } from "../../shared/ui/values";
import { timeLeft } from "./words";

/** The time that is left until a moment, ticking; red when it is over. */
export function Due({ at }: { at: string }) {
  const now = useNow(30_000);
  const { timeZone } = useSession();
  const left = timeLeft(at, now);
  const tone = left.late ? "due due-late" : left.soon ? "due due-soon" : "due";
  return (
    <time dateTime={at} title={fullTime(at, timeZone)} className={`${tone} num`}>
      {left.text}
    </time>
  );
}
