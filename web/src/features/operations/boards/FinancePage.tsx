import { amountText, type Money, moneyText, shortMoney } from "../../../shared/money";
import { changeText, counted } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { Plotted } from "../../../shared/ui/Plotted";
import { Tile } from "../../../shared/ui/Tile";
import { BoardPage } from "./BoardPage";
import { CurrencyTable } from "./CurrencyTable";
import { MarginTable } from "./MarginTable";
import { Panel } from "./Panel";
import { PlanDialog } from "./PlanDialog";
import { type Figure, type FinanceBoard, fetchFinance, type Margin } from "./queries";
import { SeriesTable } from "./SeriesTable";
import { ShareTable } from "./ShareTable";
import { type Line, seriesOption } from "./series";
import { TargetsButton } from "./TargetsButton";
import { useBoard } from "./useBoard";
import { percentText, pointsText, regionText } from "./view";

const TILES: { name: string; title: string; meaning: string }[] = [
  { name: "revenue", title: "Revenue", meaning: "What was paid for orders, less what was returned." },
  {
    name: "gross_profit",
    title: "Gross profit",
    meaning: "Revenue less what the goods cost, of the lines alone that say what they cost (unit_cost).",
  },
  { name: "ordered", title: "Ordered", meaning: "The worth of the lines that were placed." },
  {
    name: "payments",
    title: "Payments",
    meaning: "Purchases, payments and transfers, authorised or settled.",
  },
  { name: "refunds", title: "Refunds", meaning: "Refunds, authorised or settled." },
  { name: "cash_out", title: "Cash out", meaning: "Withdrawals, authorised or settled." },
];
const LINES: Line[] = [
  { name: "revenue", title: "Revenue" },
  { name: "gross_profit", title: "Gross profit" },
  { name: "payments", title: "Payments" },
  { name: "refunds", title: "Refunds" },
];
const NO_COST = "No paid line says what it cost (unit_cost).";
const NOTHING =
  "With the first orders and payments, this page shows revenue, profit, refunds and cash out as they come, by currency, region, channel and product.";
const PLAN: Line = { name: "plan", title: "Planned revenue" };

/** What the firm earns and moves, by currency and together, against the period before. */
export function FinancePage() {
  const board = useBoard<FinanceBoard>(paths.finance, paths.streams.finance, fetchFinance);
  const { data, error, retry, part } = board;
  const currency = data?.currency ?? "";
  const counted = currency && `in ${currency}`;
  const figures = new Map(data?.figures?.map((one) => [one.name, one]));
  const series = data?.series ?? [];
  const planned = series.some((moment) => moment.values.plan !== undefined);
  // Without any cost there is no profit: nothing is shown then, and not a profit of nothing.
  const costed = (data?.margin?.by_currency.length ?? 0) > 0;
  const told = costed ? LINES : LINES.filter((line) => line.name !== "gross_profit");
  const lines = planned ? [...told, PLAN] : told;
  const quiet = series.every((moment) => LINES.every((line) => !moment.values[line.name]));
  const drawn = (minor: number): Money => inBase(minor, data);
  const choose = {
    regions: (region: string) => board.change({ ...board.view, region }),
    channels: (channel: string) => board.change({ ...board.view, channel }),
    products: undefined,
  };
  return (
    <BoardPage
      title="Financial performance"
      board={board}
      quiet={quiet}
      instead={data?.figures?.every((one) => one.records === 0 && one.change === null) ? NOTHING : null}
      regions={data?.choices?.regions}
      channels={data?.choices?.channels}
      act={
        <TargetsButton word="Plan">
          {(targets, close) => (
            <PlanDialog
              targets={targets}
              figures={TILES}
              currency={currency}
              scale={scaleOf(data)}
              onClose={close}
            />
          )}
        </TargetsButton>
      }
    >
      <div className="tiles board-money">
        {TILES.map(({ name, title, meaning }) => (
          <Tile
            key={name}
            title={title}
            meaning={meaning}
            loading={!data && !error}
            error={error ?? (data?.figures === null ? new Error("failed") : null)}
            onRetry={retry}
            value={<Worth figure={name === "gross_profit" && !costed ? undefined : figures.get(name)} />}
            note={
              name === "gross_profit" ? (
                <ProfitNote figure={figures.get(name)} margin={data?.margin} />
              ) : (
                <Note figure={figures.get(name)} />
              )
            }
          />
        ))}
      </div>
      <Panel
        title="Over time"
        about={counted}
        {...part(
          "series",
          quiet,
          "No order was paid and no payment made. Choose a longer time, another region or another channel.",
        )}
        chart={
          <Plotted
            label={`${lines.map((line) => line.title).join(", ")} over time. The table holds the same numbers.`}
            option={(theme) =>
              seriesOption(
                series,
                lines,
                theme,
                (minor) => minor / scaleOf(data),
                (major) => shortMoney(drawn(Math.round(major * scaleOf(data)))),
              )
            }
          />
        }
        table={<SeriesTable moments={series} lines={lines} text={(minor) => amountText(drawn(minor))} />}
      />
      <div className="board-parts">
        <Panel
          title="Margin by currency"
          about="of the revenue whose cost is known"
          {...part("margin", data?.margin?.by_currency.length === 0, NO_COST)}
          table={<MarginTable rows={data?.margin?.by_currency ?? []} />}
        />
        <Panel
          title="By currency"
          about="as it was paid"
          {...part("figures", figures.size === 0, "Nothing was paid.")}
          table={<CurrencyTable figures={data?.figures ?? []} currency={currency} />}
        />
        {(["regions", "channels", "products"] as const).map((name) => (
          <Panel
            key={name}
            title={`Revenue by ${name.slice(0, -1)}`}
            about={[counted, name === "products" && "of all regions and channels"].filter(Boolean).join(", ")}
            {...part(name, data?.[name]?.length === 0, "No order was paid.")}
            table={
              <ShareTable
                title={name.slice(0, 1).toUpperCase() + name.slice(1, -1)}
                shares={data?.[name] ?? []}
                worth="Revenue"
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

function Worth({ figure }: { figure: Figure | undefined }) {
  if (!figure?.amount) return "–";
  return <span title={moneyText(figure.amount)}>{shortMoney(figure.amount)}</span>;
}

/** How the profit compares, and the margin: of what part of the revenue, and its change in points, as it is a share. */
function ProfitNote({ figure, margin }: { figure: Figure | undefined; margin: Margin | null | undefined }) {
  if (!figure || !margin) return null;
  if (margin.by_currency.length === 0) return <>{NO_COST}</>;
  const { amount, plan } = figure;
  const change = changeText(figure.change);
  return (
    <>
      {amount && plan && plan.minor > 0 ? (
        <span title={`${moneyText(plan)} were planned up to now.`}>
          <b className="num">{Math.round((amount.minor / plan.minor) * 100)} %</b> of plan,{" "}
        </span>
      ) : null}
      {change ? <b className="num">{change}</b> : "no period before"}, margin{" "}
      <b className="num">{percentText(margin.share)}</b>
      {margin.change === null ? "" : ` (${pointsText(margin.change)})`} of the {percentText(margin.known)} of
      what was paid and came back
    </>
  );
}

function Note({ figure }: { figure: Figure | undefined }) {
  if (!figure) return null;
  const change = changeText(figure.change);
  const missing = figure.by_currency?.filter((one) => one.converted === null) ?? [];
  const { amount, plan } = figure;
  return (
    <>
      {amount && plan && plan.minor > 0 ? (
        <span title={`${moneyText(plan)} were planned up to now.`}>
          <b className="num">{Math.round((reached(figure, amount.minor) / plan.minor) * 100)} %</b> of plan,{" "}
        </span>
      ) : null}
      {change ? <b className="num">{change}</b> : "no period before"}, {counted(figure.records, "record")}
      {missing.length > 0 ? `, ${counted(missing.length, "currency", "currencies")} without a rate` : ""}
    </>
  );
}

/** Refunds may be told as less money or as more of what went back; a plan says how much that is. */
function reached(figure: Figure, minor: number): number {
  return figure.name === "refunds" ? Math.abs(minor) : minor;
}

/** Minor units of the firm's currency as money; how many digits it has is read off any amount of the board. */
function inBase(minor: number, data: FinanceBoard | undefined): Money {
  const sample = data?.figures?.find((one) => one.amount)?.amount;
  const digits = /\.(\d+)/.exec(sample?.text ?? "0.00")?.[1]?.length ?? 0;
  return { minor, currency: data?.currency ?? "", text: digits > 0 ? `0.${"0".repeat(digits)}` : "0" };
}

function scaleOf(data: FinanceBoard | undefined): number {
  const digits = /\.(\d+)/.exec(inBase(0, data).text)?.[1]?.length ?? 0;
  return 10 ** digits;
}
