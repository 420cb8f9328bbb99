import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useEffect, useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { safeReturn } from "../../shared/paths";
import { useSubmit } from "./useSubmit";

type Offer = Schema<"SsoOffer">;
const TYPING_MS = 400;

interface ProviderButtonProps {
  /** The firm's short name, from the address of the page. */
  firm: string | null;
  email: string;
  next: string | undefined;
  /** The provider has to ask again who it is, whatever it knows of the person. */
  fresh?: boolean;
}

/**
 * The way in by a firm's own provider: offered for the firm in the address, or for the firm of the typed address's
 * domain. The server says the same of an address whether or not anybody has it.
 */
export function ProviderButton({ firm, email, next, fresh = false }: ProviderButtonProps) {
  const domain = useSettled(/^[^@\s]+@([^@\s]+\.[^@\s]+)$/.exec(email.trim())?.[1] ?? null);
  const { data } = useQuery({
    queryKey: ["sso-offer", firm, domain],
    // Only the domain is sent: whose address it is, the server need not know.
    queryFn: () =>
      answer(
        api.POST("/api/v1/sso/offers", { body: domain ? { email: `anybody@${domain}` } : { firm } }),
      ) as Promise<Offer>,
    enabled: firm !== null || domain !== null,
    staleTime: 5 * 60_000,
    retry: false,
  });
  const { busy, problem, run } = useSubmit();
  const chosen = data?.firm;
  if (!chosen) return null;
  const begin = () =>
    run(async () => {
      const body = { firm: chosen, next: safeReturn(next), fresh };
      const { location } = await answer(api.POST("/api/v1/sso/attempts", { body }));
      window.location.assign(location);
    });
  return (
    <div className="signin-provider">
      <Button size="large" block loading={busy} onClick={() => void begin()}>
        {fresh ? "Sign in again with" : "Continue with"} {data.name}
      </Button>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </div>
  );
}

/** A value once it has stayed the same for a moment. */
function useSettled(value: string | null): string | null {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
