import { queryOptions, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { answer, api, type Schema } from "../../api/client";
import { amountOf, type Money, moneyText, shortMoney } from "../money";

const currencyQuery = queryOptions({
  queryKey: ["currency"],
  queryFn: ({ signal }): Promise<Schema<"FirmCurrency">> =>
    answer(api.GET("/api/v1/me/currency", { signal })),
  staleTime: 3_600_000,
});

/**
 * Rules compare payments in US dollars, and sums over several currencies are in them. A person reads them in the firm's
 * own currency at today's rate; where the firm has no rate they stay what they are.
 */
export function useWorth(): (usd: Money) => Money {
  const { data } = useQuery(currencyQuery);
  return useCallback((usd) => (data ? inCurrency(usd, data) : usd), [data]);
}

function inCurrency(usd: Money, { currency, exponent, per_usd }: Schema<"FirmCurrency">): Money {
  if (per_usd === null || currency === usd.currency) return usd;
  return amountOf(Math.round((usd.minor / 100) * Number(per_usd) * 10 ** exponent), currency, exponent);
}

/** An amount that is kept in US dollars, short, as the firm counts; what it is in dollars on hover. */
export function Worth({ usd }: { usd: Money }) {
  const shown = useWorth()(usd);
  const exact = moneyText(shown);
  const title = shown.currency === usd.currency ? exact : `${exact}: ${moneyText(usd)} at today's rate`;
  return (
    <span className="num" title={title}>
      {shortMoney(shown)}
    </span>
  );
}
