import type { ReactNode } from "react";

/** One line of a list of facts (`<dl className="facts">`): what is told, and what it is. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">{children ?? "–"}</dd>
    </div>
  );
}
