import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { Schema } from "../api/client";
import type { Permission } from "./permissions";

export type Me = Schema<"Me">;

interface Session {
  me: Me;
  timeZone: string;
  may(permission: Permission): boolean;
}

const SessionContext = createContext<Session | null>(null);

/** Tells everything below who is signed in, for which firm, and what they may do. */
export function SessionProvider({ me, children }: { me: Me; children: ReactNode }) {
  const session = useMemo(() => {
    const granted = new Set(me.permissions);
    return { me, timeZone: knownZone(me.tenant.timezone), may: (name: Permission) => granted.has(name) };
  }, [me]);
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("useSession needs a SessionProvider above it.");
  return session;
}

/** The tenant's time zone, or UTC when this browser does not know it. */
function knownZone(name: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return "UTC";
  }
}
