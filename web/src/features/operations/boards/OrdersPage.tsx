import { shortMoney } from "../../../shared/money";
import { changeText, count, measure } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { Plotted } from "../../../shared/ui/Plotted";
import { Tile } from "../../../shared/ui/Tile";
import { AgesPanel } from "./AgesPanel";
import { BoardPage } from "./BoardPage";
import { Panel } from "./Panel";
import { type Figure, fetchOrders, type OrderBoard } from "./queries";
import { SeriesTable } from "./SeriesTable";
import { ShareTable } from "./ShareTable";
import { type Line, seriesOption } from "./series";
import { useBoard } from "./useBoard";
import { regionText } from "./view";

const STAGES: (Line & { meaning: string })[] = [
  { name: "placed", title: "Placed", meaning: "Lines of orders that customers placed in this time." },
  { name: "paid", title: "Paid", meaning: "Lines that were paid, whenever they were placed." },
  { name: "shipped", title: "Shipped", meaning: "Lines that left the warehouse, whenever they were placed." },
  { name: "delivered", title: "Delivered", meaning: "Lines that reached the customer." },
  { name: "cancelled", title: "Cancelled", meaning: "Lines that were cancelled." },
  { name: "returned", title: "Returned", meaning: "Lines that came back." },
];

const NOTHING =
  "With the first orders, this page shows how many are placed, paid, shipped and delivered, where they come from, and which wait for too long.";

/** How far orders come, where they come from, and which wait for too long. */
export function OrdersPage() {
  const board = useBoard<OrderBoard>(paths.orders, paths.streams.orders, fetchOrders);
  const { data, error, retry, part, view } = board;
  const stages = new Map(data?.stages?.map((one) => [one.name, one]));
  const series = data?.series ?? [];
  const quiet = series.every((moment) => Object.values(moment.values).every((each) => each === 0));
  // What was placed earlier may wait still.
  const waits = data?.ages?.stages.some((stage) => stage.counts.some((each) => each > 0)) ?? false;
  const never = !waits && data?.stages?.every((one) => one.records === 0 && one.change === null);
  const choose = {
    regions: (region: string) => board.change({ ...view, region }),
    channels: (channel: string) => board.change({ ...view, channel }),
    products: undefined,
  };
  return (
    <BoardPage
      title="Order status"
      board={board}
      quiet={quiet}
      instead={never ? NOTHING : null}
      regions={data?.choices?.regions}
      channels={data?.choices?.channels}
    >
      <div className="tiles board-stages">
        {STAGES.map(({ name, title, meaning }) => (
          <Tile
            key={name}
            title={title}
            meaning={meaning}
            loading={!data && !error}
            error={error ?? (data?.stages === null ? new Error("failed") : null)}
            onRetry={retry}
            value={count(stages.get(name)?.records ?? 0)}
            note={<Note figure={stages.get(name)} />}
          />
        ))}
      </div>
      <Panel
        title="Over time"
        about="lines of orders"
        {...part("series", quiet, "No line of an order changed. Choose a longer time, or fewer filters.")}
        chart={
          <Plotted
            label={`${STAGES.map((one) => one.title).join(", ")} over time. The table holds the same numbers.`}
            option={(theme) => seriesOption(series, STAGES, theme, (raw) => raw, measure)}
          />
        }
        table={<SeriesTable moments={series} lines={STAGES} text={count} />}
      />
      <AgesPanel ages={data?.ages ?? null} {...part("ages", false, "")} />
      <div className="board-parts board-thirds">
        {(["regions", "channels", "products"] as const).map((name) => (
          <Panel
            key={name}
            title={`Placed by ${name.slice(0, -1)}`}
            about={name === "products" ? "of all regions and channels" : ""}
            {...part(name, data?.[name]?.length === 0, "Nothing was placed.")}
            table={
              <ShareTable
                title={name.slice(0, 1).toUpperCase() + name.slice(1, -1)}
                shares={data?.[name] ?? []}
                worth="Lines"
                text={name === "regions" ? regionText : undefined}
                onChoose={choose[name]}
              />
            }
          />
        ))}
      </div>
    </BoardPage>
  );
}

/** No share of what was placed: what is shipped in a time was placed before it, and can be more than was placed in it. */
function Note({ figure }: { figure: Figure | undefined }) {
  if (!figure) return null;
  const change = changeText(figure.change);
  return (
    <>
      {change ? <b className="num">{change}</b> : "no period before"}
      {figure.amount && figure.amount.minor !== 0 ? `, ${shortMoney(figure.amount)}` : ""}
    </>
  );
}
