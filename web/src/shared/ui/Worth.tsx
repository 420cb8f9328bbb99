import { queryOptions, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { answer, api, type Schema } from "../../api/client";
import { amountOf, type Money, moneyText, shortMoney } from "../money";

/** Asked for as soon as somebody is signed in: most pages tell amounts. */
export const currencyQuery = queryOptions({
  queryKey: ["currency"],
  queryFn: ({ signal }): Promise<Schema<"FirmCurrency">> =>
    answer(api.GET("/api/v1/me/currency", { signal })),
  staleTime: 3_600_000,
});

/**
 * Rules compare payments in US dollars, and sums over several currencies are in them. A person reads them in the firm's
 * own currency at today's rate; where the firm has no rate they stay what they are. Null while the currency is asked for:
 * dollars that turn into pesos a moment later are read as another amount.
 */
export function useWorth(): ((usd: Money) => Money) | null {
  const { data, isPending } = useQuery(currencyQuery);
  const worth = useCallback((usd: Money) => (data ? inCurrency(usd, data) : usd), [data]);
  return isPending ? null : worth;
}

function inCurrency(usd: Money, { currency, exponent, per_usd }: Schema<"FirmCurrency">): Money {
  if (per_usd === null || currency === usd.currency) return usd;
  return amountOf(Math.round((usd.minor / 100) * Number(per_usd) * 10 ** exponent), currency, exponent);
}

/** In the place of an amount whose currency is not known yet. */
export function NotKnownYet() {
  return <span className="muted">…</span>;
}

/** An amount that is kept in US dollars, short, as the firm counts; what it is in dollars on hover. */
export function Worth({ usd }: { usd: Money }) {
  const worth = useWorth();
  if (worth === null) return <NotKnownYet />;
  const shown = worth(usd);
  const exact = moneyText(shown);
  const title = shown.currency === usd.currency ? exact : `${exact}: ${moneyText(usd)} at today's rate`;
  return (
    <span className="num" title={title}>
      {shortMoney(shown)}
    </span>
  );
}
