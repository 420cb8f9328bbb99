import { WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Overtaken } from "../../shared/ui/Overtaken";
import { Page } from "../../shared/ui/Page";
import { NotYet } from "../../shared/ui/states";
import { AsOf, When } from "../../shared/ui/values";
import { MemberList } from "./MemberList";
import { type SegmentDetail, segmentQuery, uncounted } from "./queries";
import { SegmentEditor } from "./SegmentEditor";
import { SizeChart, shareText, sizeText } from "./sizes";
import "./segments.css";

/** One segment, or the place where a new one is written. */
export function SegmentPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return id === "new" ? <NewSegment /> : <KnownSegment key={id} id={id} />;
}

const all = <Link to={paths.segments}>All segments</Link>;

function NewSegment() {
  return (
    <Page title="New segment" aside={all}>
      <div className="segments-desk">
        <section aria-label="What it says" className="segments-main">
          <SegmentEditor />
        </section>
      </div>
    </Page>
  );
}

function KnownSegment({ id }: { id: string }) {
  const query = useQuery(segmentQuery(id));
  const { data } = query;
  return (
    <Page title={data?.segment.name ?? "Segment"} aside={all}>
      <NotYet query={query} what="The segment" rows={8} height={40} />
      {data ? <Whole detail={data} /> : null}
    </Page>
  );
}

function Whole({ detail }: { detail: SegmentDetail }) {
  const { may } = useSession();
  const { segment } = detail;
  return (
    <>
      {segment.problem ? (
        <p role="alert" className="segments-alarm">
          <WarningFilled aria-hidden /> {segment.problem} Until somebody changes its condition it is not
          counted.
        </p>
      ) : null}
      <div className="segments-desk">
        <section aria-label="What it says" className="segments-main">
          <Overtaken
            newest={detail}
            version={(of) => String(of.segment.version)}
            what="segment"
            says={({ segment: of }) => ({
              Name: of.name,
              Description: of.description,
              Condition: of.condition,
              "Is put away": of.archived ? "yes" : "no",
            })}
          >
            {(held, base, onWriting) => <SegmentEditor detail={held} over={base} onWriting={onWriting} />}
          </Overtaken>
        </section>
        <aside className="segments-side">
          <HowMany detail={detail} />
        </aside>
      </div>
      {may(permission.seeSegmentMembers) && !segment.problem ? <MemberList segment={segment} /> : null}
    </>
  );
}

function HowMany({ detail: { segment, days } }: { detail: SegmentDetail }) {
  const { size } = segment;
  return (
    <section className="segments-box segments-size" aria-label="How many they are">
      <h2>How many they are</h2>
      {size && !uncounted(segment) ? (
        <>
          <p className="segments-number num">{size.people === null && !size.few ? "–" : sizeText(size)}</p>
          <p className="muted">
            {shareText(size)} <AsOf at={size.counted_at} />
          </p>
        </>
      ) : (
        <p className="muted">
          {segment.archived ? "It was not counted before it was archived." : "It is being counted."}
        </p>
      )}
      {days.length > 1 ? (
        <SizeChart days={days} />
      ) : (
        <p className="muted">It is counted every night, and drawn here from the second day on.</p>
      )}
      <p className="muted">
        By {segment.owner_name}, version {segment.version} since <When at={segment.changed_at} />
      </p>
    </section>
  );
}
