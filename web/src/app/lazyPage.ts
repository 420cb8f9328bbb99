import { lazyRouteComponent } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { unreachable } from "../api/problem";

/**
 * A page whose code comes when it is opened. Where that cannot be fetched the router loads the whole app anew, for there
 * may be another release by now; without a network that would leave an empty window, so the person is told instead.
 */
export function lazyPage<Name extends string, Module extends Record<Name, () => ReactNode>>(
  load: () => Promise<Module>,
  name: Name,
) {
  const told = (error: unknown): never => {
    throw navigator.onLine ? error : unreachable();
  };
  return lazyRouteComponent(() => load().catch(told), name);
}
