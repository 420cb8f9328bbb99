import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { Changes } from "./Changes";
import { type ContractDetail, comparisonQuery } from "./queries";

/** Every version that is or was in force, and what each changed of the one before it. */
export function VersionList({ detail }: { detail: ContractDetail }) {
  const [open, setOpen] = useState<string | null>(null);
  const { versions, summary } = detail;
  if (versions.length === 0)
    return (
      <p className="contracts-none muted">Nothing was published yet. A draft comes into force when it is.</p>
    );
  return (
    <ul className="contracts-list">
      {versions.map((one, at) => {
        const before = versions[at + 1]?.version;
        return (
          <li key={one.version}>
            <p className="contracts-version">
              <strong className="num">{one.version}</strong>
              <Tag
                word={one.state === "published" ? "In force" : "Retired"}
                tone={one.state === "published" ? "approve" : "quiet"}
              />
              <span className="muted">
                by {one.author}
                {one.published_by && one.published_by !== one.author
                  ? `, approved by ${one.published_by}`
                  : ""}
                {one.published_at ? (
                  <>
                    , <When at={one.published_at} />
                  </>
                ) : null}
              </span>
              {before ? (
                <Button
                  size="small"
                  type="link"
                  aria-expanded={open === one.version}
                  onClick={() => setOpen(open === one.version ? null : one.version)}
                >
                  What changed since {before}
                </Button>
              ) : null}
            </p>
            {one.note ? <p className="muted">{one.note}</p> : null}
            {before && open === one.version ? (
              <Compared contract={summary.name} old={before} next={one.version} />
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function Compared({ contract, old, next }: { contract: string; old: string; next: string }) {
  const query = useQuery(comparisonQuery(contract, old, next));
  const { data } = query;
  if (!data) return <NotYet query={query} what="The comparison" rows={3} height={28} />;
  return <Changes comparison={data} />;
}
