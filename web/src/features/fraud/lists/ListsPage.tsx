import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { count, counted } from "../../../shared/numbers";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { Tag } from "../../../shared/ui/tags";
import { When } from "../../../shared/ui/values";
import { EntryList } from "./EntryList";
import { NewListDialog } from "./NewListDialog";
import { blocks, type FirmList, listsQuery } from "./queries";
import "../rules/rules.css";
import "./lists.css";

const EFFECTS = {
  none: { word: "Asked by rules", tone: "plain" },
  allow: { word: "Allows", tone: "approve" },
  block: { word: "Blocks", tone: "block" },
  final_block: { word: "Blocks, always", tone: "block" },
} as const;

/** What is blocked, allowed, or asked by rules. */
export function ListsPage() {
  const { may } = useSession();
  const query = useQuery(listsQuery);
  const { data } = query;
  const search = useSearch({ strict: false }) as { list?: unknown };
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const chosen = data?.find((one) => one.name === search.list) ?? data?.[0];
  const make = may(permission.writeLists) ? (
    <Button type="primary" onClick={() => setMaking(true)}>
      New list
    </Button>
  ) : null;
  return (
    <Page title="Lists" aside={data && data.length > 0 ? make : null}>
      <NotYet query={query} what="The lists" rows={6} height={44} />
      {data?.length === 0 ? (
        <EmptyState title="There is no list yet" action={make}>
          A list blocks or allows accounts, cards, devices, merchants, customers or countries, or is asked by
          rules.
        </EmptyState>
      ) : null}
      {data && chosen ? (
        <div className="lists-desk">
          <nav aria-label="Lists" className="rules-part lists-names">
            {data.map((one) => (
              <button
                key={one.name}
                type="button"
                aria-current={one.name === chosen.name ? "true" : undefined}
                onClick={() => void navigate({ to: paths.lists, search: { list: one.name } })}
              >
                <strong>{one.name}</strong>
                <span className="muted num">{count(one.entries)}</span>
                <Tag {...EFFECTS[one.effect]} />
              </button>
            ))}
          </nav>
          <section aria-label={chosen.name} className="rules-box">
            <About list={chosen} />
            <EntryList key={chosen.name} list={chosen} />
          </section>
        </div>
      ) : null}
      {making ? (
        <NewListDialog
          onClose={() => setMaking(false)}
          onMade={(name) => {
            setMaking(false);
            void navigate({ to: paths.lists, search: { list: name } });
          }}
        />
      ) : null}
    </Page>
  );
}

function About({ list }: { list: FirmList }) {
  return (
    <>
      <h2>
        {list.name} <Tag {...EFFECTS[list.effect]} />
      </h2>
      {list.description ? <p>{list.description}</p> : null}
      <p className="muted">
        {counted(list.entries, list.kind, list.kind === "country" ? "countries" : `${list.kind}s`)}, changed{" "}
        <When at={list.updated_at} />
        {list.author ? `, made by ${list.author}` : ""}.{" "}
        {list.used_by.length > 0 ? `Asked by ${list.used_by.join(", ")}.` : ""}
        {list.effect === "allow" ? " An entry takes two people, because it overrides every rule." : ""}
        {blocks(list) ? " Taking an entry off takes two people, because it lets payments through." : ""}
      </p>
    </>
  );
}
