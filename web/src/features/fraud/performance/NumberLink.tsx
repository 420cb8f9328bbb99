import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { paths } from "../../../shared/paths";
import { toSearch, type View } from "./queries";

/** A number that leads to the payments behind it, for people who may see them. */
export function NumberLink({
  view,
  open,
  children,
}: {
  view: View;
  open: ((view: View) => void) | undefined;
  children: ReactNode;
}) {
  if (!open) return children;
  return (
    <Link to={paths.performance} search={toSearch(view)} resetScroll={false}>
      {children}
    </Link>
  );
}
