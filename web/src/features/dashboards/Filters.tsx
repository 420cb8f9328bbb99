import { useQuery } from "@tanstack/react-query";
import { AutoComplete, Button, Select, Tag } from "antd";
import { useState } from "react";
import { metricsQuery, type Shown } from "./queries";
import { type BoardFilters, FILTERS_MAX, SPAN_WORDS, SPANS } from "./view";

const VALUES_MAX = 100;

interface FiltersProps {
  filters: BoardFilters;
  shown: Shown | undefined;
  onChange(filters: BoardFilters): void;
}

/** How the dashboard is narrowed down: a time for all metrics, and values of columns. */
export function Filters({ filters, shown, onChange }: FiltersProps) {
  const { data } = useQuery(metricsQuery);
  const [name, setName] = useState<string>();
  const [value, setValue] = useState("");
  const choices = choicesOf(shown);
  for (const [key, given] of [
    ["region", data?.regions],
    ["channel", data?.channels],
  ] as const) {
    for (const each of given ?? []) choices.set(key, (choices.get(key) ?? new Set()).add(each));
  }
  const known = Object.entries(filters.values);
  const add = (picked: string) => {
    if (!name || picked.trim() === "") return;
    onChange({ ...filters, values: { ...filters.values, [name]: picked.trim() } });
    setName(undefined);
    setValue("");
  };
  return (
    <search className="dash-filters" aria-label="What is shown">
      <Select
        aria-label="Time of metrics"
        className="dash-span"
        allowClear
        placeholder="Each tile's own time"
        value={filters.span}
        options={SPANS.map((each) => ({ value: each, label: SPAN_WORDS[each] }))}
        onChange={(span) => onChange({ ...filters, span })}
      />
      {known.map(([key, each]) => (
        <Tag
          key={key}
          closable={{ "aria-label": `Take the filter ${key} away` }}
          onClose={() =>
            onChange({
              ...filters,
              values: Object.fromEntries(known.filter(([other]) => other !== key)),
            })
          }
        >
          {key}: <b>{each}</b>
        </Tag>
      ))}
      {known.length < FILTERS_MAX ? (
        <Select
          aria-label="Filter by"
          className="dash-span"
          placeholder="Filter by …"
          showSearch
          value={name}
          options={[...choices.keys()].sort().map((key) => ({ value: key, label: key }))}
          onChange={(key: string) => {
            setName(key);
            setValue("");
          }}
        />
      ) : null}
      {name ? (
        <>
          <AutoComplete
            aria-label={`Value of ${name}`}
            className="dash-span"
            placeholder="is …"
            autoFocus
            value={value}
            options={[...(choices.get(name) ?? [])]
              .filter((each) => each.toLowerCase().includes(value.toLowerCase()))
              .slice(0, VALUES_MAX)
              .map((each) => ({ value: each }))}
            onChange={setValue}
            onSelect={add}
            onKeyDown={(event) => {
              if (event.key === "Enter") add(value);
            }}
          />
          <Button onClick={() => add(value)} disabled={value.trim() === ""}>
            Apply
          </Button>
        </>
      ) : null}
    </search>
  );
}

/** The values of text columns that tiles show now, by column. */
function choicesOf(shown: Shown | undefined): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>([
    ["region", new Set()],
    ["channel", new Set()],
  ]);
  for (const data of Object.values(shown ?? {})) {
    data.columns.forEach((column, place) => {
      if (column.type !== "text" || data.currency) return;
      const values = found.get(column.name) ?? new Set<string>();
      for (const row of data.rows) {
        const value = row[place];
        if (values.size < VALUES_MAX && typeof value === "string" && value !== "") values.add(value);
      }
      found.set(column.name, values);
    });
  }
  return found;
}
