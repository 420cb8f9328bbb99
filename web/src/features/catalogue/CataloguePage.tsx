import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Input, Select } from "antd";
import { useDeferredValue } from "react";
import { fullName, KINDS, type Kind } from "../../shared/lineage";
import { counted } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { EntryView } from "./EntryView";
import { searchQuery } from "./queries";
import "./catalogue.css";

/** Everything that data people can name, searched first: what it is, where it comes from, who reads it. */
export function CataloguePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const text = typeof search.q === "string" ? search.q : "";
  const kind = Object.keys(KINDS).find((one) => one === search.kind) as Kind | undefined;
  const entry = typeof search.entry === "string" ? search.entry : undefined;
  const navigate = useNavigate();
  const go = (next: { q?: string; kind?: Kind; entry?: string }) =>
    void navigate({ to: paths.catalogue, search: { ...next }, replace: true, resetScroll: false });
  const asked = useDeferredValue(text);
  const query = useQuery(searchQuery(asked, kind));
  const items = query.data?.items ?? [];
  return (
    <Page title="Catalogue">
      <div className={entry ? "catalogue catalogue-open" : "catalogue"}>
        <section className="part" aria-label="Search">
          <div className="filters">
            <Input.Search
              autoFocus={!entry}
              allowClear
              className="catalogue-search"
              aria-label="Search the catalogue"
              placeholder="A field, feature, rule, table, query or dashboard"
              value={text}
              onChange={(event) => go({ q: event.target.value || undefined, kind, entry })}
            />
            <Select
              aria-label="Kind"
              placeholder="Any kind"
              allowClear
              className="filter-rule"
              value={kind}
              onChange={(next) => go({ q: text || undefined, kind: next, entry })}
              options={Object.entries(KINDS).map(([value, label]) => ({
                value,
                label: `${label} (${query.data?.kinds[value] ?? 0})`,
              }))}
            />
          </div>
          {query.error && !query.data ? (
            <FailureState what="The catalogue" error={query.error} onRetry={() => void query.refetch()} />
          ) : !query.data ? (
            <RowsSkeleton rows={8} height={44} label="Loading the catalogue" />
          ) : items.length === 0 ? (
            <EmptyState
              title="Nothing is called so"
              action={<Button onClick={() => go({})}>Show everything</Button>}
            >
              The search looks for every word in names and descriptions of fields, features, rules, tables and
              queries.
            </EmptyState>
          ) : (
            <ul className="catalogue-list" aria-label="Entries">
              {items.map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    className={one.id === entry ? "catalogue-item catalogue-here" : "catalogue-item"}
                    aria-current={one.id === entry ? "true" : undefined}
                    onClick={() => go({ q: text || undefined, kind, entry: one.id })}
                  >
                    <span className="card-line">
                      <strong className="cut">{fullName(one)}</strong>
                      <span className="push">
                        <Tag word={KINDS[one.kind]} tone="plain" />
                      </span>
                    </span>
                    <span className="cut muted">{one.about || one.definition || one.type}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
          {items.length > 0 ? (
            <p className="grid-foot">
              {items.length === 200
                ? `The ${text ? "200 that fit best" : "first 200"}. Search for more.`
                : counted(items.length, "entry", "entries")}
            </p>
          ) : null}
        </section>
        {entry ? (
          <section className="part catalogue-detail" aria-label="Entry">
            <EntryView id={entry} onOpen={(next) => go({ q: text || undefined, kind, entry: next })} />
          </section>
        ) : null}
      </div>
    </Page>
  );
}
