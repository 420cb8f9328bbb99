import { CloseOutlined } from "@ant-design/icons";
import { Button, Segmented, Select } from "antd";
import { SearchBox } from "../../shared/ui/SearchBox";
import { type Case, DEFAULT_FILTER, type Filter, isNarrowed } from "./filter";
import { PRIORITIES, TYPOLOGIES } from "./words";

interface FilterBarProps {
  filter: Filter;
  onChange(filter: Filter): void;
}

const options = <Key extends string>(words: Record<Key, string>) =>
  (Object.entries(words) as [Key, string][]).map(([value, label]) => ({ value, label }));

/** What narrows the queue. Everything here is in the address, so a view can be sent to a colleague. */
export function CaseFilterBar({ filter, onChange }: FilterBarProps) {
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change });
  return (
    // biome-ignore lint/a11y/useSemanticElements: the element <search> is too new for some browsers in use.
    <div className="filters" role="search" aria-label="Filter cases">
      <Segmented<Filter["closed"]>
        aria-label="Open or closed"
        value={filter.closed}
        onChange={(closed) => set({ closed })}
        options={[
          { value: "no", label: "Open" },
          { value: "yes", label: "Closed" },
          { value: "all", label: "All" },
        ]}
      />
      <SearchBox
        value={filter.q}
        onSearch={(q) => set({ q })}
        placeholder="Number of a case"
        hotkey={{ label: "Search cases", group: "Cases" }}
      />
      <Select
        aria-label="Whose"
        placeholder="Anybody's"
        allowClear
        className="filter-action"
        value={filter.assignee}
        onChange={(assignee) => set({ assignee })}
        options={[
          { value: "me", label: "Mine" },
          { value: "nobody", label: "Nobody's" },
        ]}
      />
      <Select<Case["priority"]>
        aria-label="Priority"
        placeholder="Any priority"
        allowClear
        className="filter-action"
        value={filter.priority}
        onChange={(priority) => set({ priority })}
        options={options(PRIORITIES)}
      />
      <Select<Case["typology"]>
        aria-label="Kind"
        placeholder="Any kind"
        allowClear
        className="filter-rule"
        value={filter.typology}
        onChange={(typology) => set({ typology })}
        options={options(TYPOLOGIES)}
      />
      <Select<NonNullable<Filter["state"]>>
        aria-label="State"
        placeholder="Any state"
        allowClear
        className="filter-action"
        value={filter.state}
        onChange={(state) => set({ state })}
        options={[
          { value: "open", label: "Untouched" },
          { value: "investigating", label: "In work" },
          { value: "waiting", label: "Waiting" },
        ]}
      />
      <Select
        aria-label="Order"
        className="filter-sort"
        value={filter.sort}
        onChange={(sort) => set({ sort })}
        options={[
          { value: "queue", label: "By urgency" },
          { value: "newest", label: "Newest first" },
        ]}
      />
      {isNarrowed(filter) ? (
        <Button
          type="text"
          icon={<CloseOutlined aria-hidden />}
          onClick={() => onChange({ ...DEFAULT_FILTER, closed: filter.closed, sort: filter.sort })}
        >
          Clear
        </Button>
      ) : null}
    </div>
  );
}
