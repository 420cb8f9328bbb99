import { changeText, count, duration } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { Plotted } from "../../../shared/ui/Plotted";
import { Tile } from "../../../shared/ui/Tile";
import { When } from "../../../shared/ui/values";
import { BoardPage } from "./BoardPage";
import { FunnelTable, InterestTable, VisitTable } from "./behaviourTables";
import { Panel } from "./Panel";
import { type BehaviourBoard, fetchBehaviour, type Moment, type Visits } from "./queries";
import { SeriesTable } from "./SeriesTable";
import { type Line, seriesOption } from "./series";
import { type Board, type Part, useBoard } from "./useBoard";
import { FROM_A_DAY, regionText, shareText } from "./view";

const SESSIONS: Line[] = [
  { name: "sessions", title: "Sessions" },
  { name: "viewed", title: "Looked at a product" },
  { name: "checked_out", title: "Got to checkout" },
];
const ACTIONS: Line[] = [
  { name: "product_view", title: "Product views" },
  { name: "search", title: "Searches" },
  { name: "add_to_cart", title: "Into the basket" },
  { name: "checkout", title: "Checkouts" },
  { name: "purchase", title: "Purchases" },
  { name: "login", title: "Sign-ins" },
];
const NOTHING =
  "With the first activity from the web site and the app, this page shows sessions, how far they come on the way to an order, and which products people look at.";
const NO_SESSION =
  "No session began. They are counted every five minutes; choose a longer time, or fewer filters.";
const NO_ACTION = "Nobody did anything. Choose a longer time, or fewer filters.";

/** What customers do: how many come, how far they get, what they look at, where from and when. */
export function BehaviourPage() {
  const board = useBoard<BehaviourBoard>(
    paths.behaviour,
    paths.streams.behaviour,
    fetchBehaviour,
    FROM_A_DAY,
  );
  const { data, part, view } = board;
  const none = data?.visits?.now.sessions === 0;
  const quiet = data?.actions?.every(({ values }) => Object.values(values).every((each) => each === 0));
  return (
    <BoardPage
      title="Customer behaviour"
      board={board}
      quiet={none && quiet}
      instead={data?.visits?.before.sessions ? null : NOTHING}
      regions={data?.choices?.regions}
      channels={data?.choices?.channels}
    >
      <Tiles board={board} />
      <div className="board-parts">
        <Panel
          title="From a visit to an order"
          about="sessions, then lines of orders"
          {...part("funnel", data?.funnel?.every((step) => step.count === 0) ?? false, NO_SESSION)}
          table={<FunnelTable steps={data?.funnel ?? []} />}
        />
        <Charted
          title="Sessions"
          about="by when they began"
          lines={SESSIONS}
          moments={data?.series}
          part={part("series", none, NO_SESSION)}
        />
        <Charted
          title="Actions"
          about="as they happen"
          lines={ACTIONS}
          moments={data?.actions}
          part={part("actions", quiet ?? false, NO_ACTION)}
        />
        <Panel
          title="Product interest"
          about="most looked at, of all regions and channels"
          {...part(
            "products",
            data?.products?.length === 0,
            "No product was looked at. Choose a longer time.",
          )}
          table={<InterestTable products={data?.products ?? []} />}
        />
        <Panel
          title="By channel"
          about="of the first action"
          {...part("channels", data?.channels?.length === 0, NO_SESSION)}
          table={
            <VisitTable
              title="Channel"
              rows={data?.channels ?? []}
              onChoose={(channel) => board.change({ ...view, channel })}
            />
          }
        />
        <Panel
          title="By region"
          about="of the first action"
          {...part("regions", data?.regions?.length === 0, NO_SESSION)}
          table={
            <VisitTable
              title="Region"
              text={regionText}
              rows={data?.regions ?? []}
              onChoose={(region) => board.change({ ...view, region })}
            />
          }
        />
        <Panel
          title="By hour of the day"
          about="of your firm"
          {...part("hours", none, NO_SESSION)}
          table={<VisitTable title="From" rows={data?.hours ?? []} />}
        />
      </div>
      <p className="muted">
        {data?.measured_at ? (
          <>
            Sessions are as counted at <When at={data.measured_at} />, every five minutes; actions are a
            moment old.
          </>
        ) : (
          "Sessions are counted every five minutes."
        )}
      </p>
    </BoardPage>
  );
}

function Tiles({ board }: { board: Board<BehaviourBoard> }) {
  const { data, error, retry } = board;
  const now = data?.visits?.now;
  const before = data?.visits?.before;
  const views = data?.actions?.reduce((sum, moment) => sum + (moment.values.product_view ?? 0), 0);
  const tile = (name: string) => ({
    loading: !data && !error,
    error: error ?? (data?.failed.includes(name) ? new Error("failed") : null),
    onRetry: retry,
  });
  const change = changeText(data?.visits?.change ?? null);
  const shares: { title: string; meaning: string; of(visits: Visits): number }[] = [
    {
      title: "Got to checkout",
      meaning: "Sessions that got to a checkout or a purchase, of all.",
      of: (visits) => visits.checked_out,
    },
    { title: "Purchased", meaning: "Sessions with a purchase, of all.", of: (visits) => visits.purchased },
    {
      title: "Left at once",
      meaning: "Sessions of a single action, of all.",
      of: (visits) => visits.single,
    },
  ];
  return (
    <div className="tiles board-stages">
      <Tile
        {...tile("visits")}
        title="Sessions"
        meaning="Sessions that began in this time."
        value={count(now?.sessions ?? 0)}
        note={change ? <b className="num">{change}</b> : "no period before"}
      />
      {shares.map(({ title, meaning, of }) => (
        <Tile
          key={title}
          {...tile("visits")}
          title={title}
          meaning={meaning}
          value={shareText(now?.sessions ? of(now) / now.sessions : null)}
          note={before?.sessions ? `before ${shareText(of(before) / before.sessions)}` : "no period before"}
        />
      ))}
      <Tile
        {...tile("visits")}
        title="Time per session"
        meaning="From the first action of a session to its last, on average."
        value={now?.sessions ? duration(now.seconds / now.sessions) : "–"}
        note={before?.sessions ? `before ${duration(before.seconds / before.sessions)}` : "no period before"}
      />
      <Tile
        {...tile("actions")}
        title="Product views"
        meaning="How often a product was looked at, a moment ago included."
        value={count(views ?? 0)}
        note="as they happen"
      />
    </div>
  );
}

interface ChartedProps {
  title: string;
  about: string;
  lines: Line[];
  moments: readonly Moment[] | null | undefined;
  part: Part;
}

function Charted({ title, about, lines, moments, part }: ChartedProps) {
  const shown = moments ?? [];
  return (
    <Panel
      title={title}
      about={about}
      {...part}
      chart={
        <Plotted
          label={`${lines.map((line) => line.title).join(", ")} over time. The table holds the same numbers.`}
          option={(theme) => seriesOption(shown, lines, theme, (raw) => raw, count)}
        />
      }
      table={<SeriesTable moments={shown} lines={lines} text={count} />}
    />
  );
}
