import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import { newest } from "../../shared/live/newest";
import type { View } from "./view";

export type Pipeline = Schema<"Pipeline">;
export type QuarantinedRecord = Schema<"QuarantinedRecord">;
export type Receipt = Schema<"Receipt">;

const PAGE_SIZE = 50;
const STATES = ["processing", "done"] as const;

export const pipelineQuery = queryOptions({
  queryKey: ["pipeline"],
  queryFn: async ({ signal, client, queryKey }): Promise<Pipeline> => {
    const fetched = await answer(api.GET("/api/v1/pipeline", { signal }));
    return newest(client.getQueryData<Pipeline>(queryKey), fetched);
  },
  // The stream brings a new one every second; this only covers a stream that cannot be opened.
  refetchInterval: 60_000,
});

export function quarantineQuery(contract: string | undefined, rule: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ["quarantine", contract ?? "", rule ?? ""],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/quarantine", {
          params: { query: { contract, rule, limit: PAGE_SIZE, before: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"QuarantinePage">) => page.next,
    staleTime: 10_000,
  });
}

/** Which rules were broken, and how often. */
export const causesQuery = queryOptions({
  queryKey: ["quarantine-causes"],
  queryFn: ({ signal }): Promise<Schema<"QuarantineCauses">> =>
    answer(api.GET("/api/v1/quarantine/causes", { signal })),
  staleTime: 30_000,
});

export function receiptsQuery({ contract, state, source }: View) {
  const wanted = { contract, state: STATES.find((each) => each === state), source };
  return infiniteQueryOptions({
    queryKey: ["receipts", wanted],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/receipts", {
          params: { query: { ...wanted, limit: PAGE_SIZE, before: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"ReceiptPage">) => page.next,
    staleTime: 10_000,
  });
}
