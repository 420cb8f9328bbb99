import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";
import type { BoardView } from "./view";

export type ExecutiveBoard = Schema<"ExecutiveBoard">;
export type Goal = Schema<"Goal">;
export type SystemBoard = Schema<"SystemBoard">;
export type Sample = Schema<"Sample">;
export type ContractFlow = Schema<"ContractFlow">;
export type StageDelay = Schema<"StageDelay">;
export type TableFreshness = Schema<"TableFreshness">;
export type JobsNow = Schema<"JobsNow">;
export type BehaviourBoard = Schema<"BehaviourBoard">;
export type Visits = Schema<"Visits">;
export type FunnelStep = Schema<"FunnelStep">;
export type Interest = Schema<"Interest">;
export type FinanceBoard = Schema<"FinanceBoard">;
export type OrderBoard = Schema<"OrderBoard">;
export type Figure = Schema<"Figure">;
export type Margin = Schema<"Margin">;
export type Share = Schema<"Share"> & Partial<Pick<Schema<"RevenueShare">, "margin">>;
export type Moment = Schema<"Moment">;
export type OrderAges = Schema<"OrderAges">;

export type Targets = Schema<"TargetsDocument">;

/** What the firm wants to reach: goals and plans by month. */
export const targetsQuery = queryOptions({
  queryKey: ["operations", "targets"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/operations/targets", { signal })),
});

export function setTargets(body: Schema<"TargetsBody">): Promise<Targets> {
  return answer(api.PUT("/api/v1/operations/targets", { body }));
}

export function fetchFinance(
  { span, region, channel }: BoardView,
  signal: AbortSignal,
): Promise<FinanceBoard> {
  return answer(
    api.GET("/api/v1/operations/finance", { params: { query: { span, region, channel } }, signal }),
  );
}

export function fetchOrders({ span, region, channel }: BoardView, signal: AbortSignal): Promise<OrderBoard> {
  return answer(
    api.GET("/api/v1/operations/orders", { params: { query: { span, region, channel } }, signal }),
  );
}

export function fetchExecutive({ span }: BoardView, signal: AbortSignal): Promise<ExecutiveBoard> {
  const days = span === "7d" || span === "90d" ? span : "30d";
  return answer(api.GET("/api/v1/operations/executive", { params: { query: { span: days } }, signal }));
}

export function fetchSystem({ span }: BoardView, signal: AbortSignal): Promise<SystemBoard> {
  return answer(api.GET("/api/v1/operations/system", { params: { query: { span } }, signal }));
}

export function fetchBehaviour(
  { span, region, channel }: BoardView,
  signal: AbortSignal,
): Promise<BehaviourBoard> {
  const query = {
    span: span === "24h" || span === "30d" || span === "90d" ? span : "7d",
    region,
    channel,
  } as const;
  return answer(api.GET("/api/v1/operations/behaviour", { params: { query }, signal }));
}
