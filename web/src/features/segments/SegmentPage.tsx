import { WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
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
  const navigate = useNavigate();
  // Whoever has saved a new one may be writing on in it: it stays as it is drawn, at its own address.
  const [written, setWritten] = useState(["new"]);
  return (
    <Segment
      key={written.includes(id) ? "written here" : id}
      id={id}
      onMade={(made) => {
        setWritten(["new", made]);
        void navigate({ to: paths.segment, params: { id: made }, replace: true });
      }}
    />
  );
}

function Segment({ id, onMade }: { id: string; onMade(id: string): void }) {
  const isNew = id === "new";
  const query = useQuery({ ...segmentQuery(id), enabled: !isNew });
  const { data } = query;
  return (
    <Page
      title={isNew ? "New segment" : (data?.segment.name ?? "Segment")}
      aside={<Link to={paths.segments}>All segments</Link>}
    >
      {isNew ? null : <NotYet query={query} what="The segment" rows={8} height={40} />}
      {data || isNew ? <Whole detail={data} onMade={onMade} /> : null}
    </Page>
  );
}

function Whole({ detail, onMade }: { detail: SegmentDetail | undefined; onMade(id: string): void }) {
  const { may } = useSession();
  const segment = detail?.segment;
  return (
    <>
      {segment?.problem ? (
        <p role="alert" className="segments-alarm">
          <WarningFilled aria-hidden /> {segment.problem} Until somebody changes its condition it is not
          counted.
        </p>
      ) : null}
      <div className="segments-desk">
        <section aria-label="What it says" className="segments-main">
          <SegmentEditor detail={detail} onMade={onMade} />
        </section>
        {detail ? (
          <aside className="segments-side">
            <HowMany detail={detail} />
          </aside>
        ) : null}
      </div>
      {segment && may(permission.seeSegmentMembers) && !segment.problem ? (
        <MemberList segment={segment} />
      ) : null}
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
