import { primaryOf } from "../../shared/look";
import { measure } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { clockTime } from "../../shared/time";
import { Chart } from "../../shared/ui/Chart";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { useDark } from "../../shared/useDark";
import type { PartProps } from "./part";

const HEIGHT = 220;

/** Events per second over the last five minutes. */
export function ThroughputPanel({ data, error, onRetry }: PartProps) {
  const { me, timeZone } = useSession();
  const dark = useDark();
  const points = data?.throughput.map((each) => ({ at: each.at, value: each.events_per_s })) ?? [];
  const quiet = points.every((point) => point.value === 0);
  const highest = Math.max(0, ...points.map((point) => point.value));
  let body = <BlockSkeleton height={HEIGHT} label="Loading the throughput" />;
  if (error) body = <FailureState what="The throughput" error={error} onRetry={onRetry} />;
  else if (data && quiet) {
    body = (
      <EmptyState title="No events in the last five minutes">
        Records sent to the API or loaded from files show here within ten seconds.
      </EmptyState>
    );
  } else if (data) {
    body = (
      <Chart
        label={`Events per second over the last five minutes: now ${measure(points.at(-1)?.value ?? 0)}, at most ${measure(highest)}`}
        points={points}
        height={HEIGHT}
        colour={primaryOf({ dark, brand: me.tenant.branding.primary_color })}
        dark={dark}
        timeText={(at) => clockTime(new Date(at), timeZone)}
        valueText={measure}
      />
    );
  }
  return (
    <section className="part" aria-label="Throughput">
      <h2>
        Throughput <span className="muted">events per second, last 5 minutes</span>
      </h2>
      {body}
    </section>
  );
}
