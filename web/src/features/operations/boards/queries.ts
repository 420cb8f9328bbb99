import { answer, api, type Schema } from "../../../api/client";
import type { BoardView } from "./view";

export type FinanceBoard = Schema<"FinanceBoard">;
export type OrderBoard = Schema<"OrderBoard">;
export type Figure = Schema<"Figure">;
export type Share = Schema<"Share">;
export type Moment = Schema<"Moment">;
export type OrderAges = Schema<"OrderAges">;

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
