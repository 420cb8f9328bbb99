import { CloseOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Input, Segmented, Select } from "antd";
import { useSession } from "../../shared/session";
import { instantOf, localInput } from "../../shared/time";
import { Draft } from "../../shared/ui/Draft";
import { SearchBox } from "../../shared/ui/SearchBox";
import { DEFAULT_FILTER, type Filter, isNarrowed, type Range } from "./filter";
import { summaryQuery } from "./queries";

const RANGE_WORDS: Record<Range, string> = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  today: "Today",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  custom: "From … to …",
};

interface FilterBarProps {
  filter: Filter;
  onChange(filter: Filter): void;
}

/** What narrows the list. Everything here is in the address, so a view can be sent to a colleague. */
export function FilterBar({ filter, onChange }: FilterBarProps) {
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change });
  const { data: summary } = useQuery({ ...summaryQuery, enabled: false });
  const rules = (summary?.by_rule ?? []).map((each) => ({
    value: each.rule,
    label: `${each.title ?? each.rule} (${each.open})`,
  }));
  if (filter.rule && !rules.some((each) => each.value === filter.rule)) {
    rules.push({ value: filter.rule, label: filter.rule });
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: the element <search> is too new for some browsers in use.
    <div className="filters" role="search" aria-label="Filter alerts">
      <Segmented<Filter["state"]>
        aria-label="State"
        value={filter.state}
        onChange={(state) => set({ state })}
        options={[
          { value: "open", label: "Open" },
          { value: "confirmed", label: "Fraud" },
          { value: "dismissed", label: "Dismissed" },
          { value: "all", label: "All" },
        ]}
      />
      <SearchBox
        value={filter.q}
        onSearch={(q) => set({ q })}
        placeholder="Merchant or event id"
        hotkey={{ label: "Search alerts", group: "Alerts" }}
      />
      <Select
        aria-label="Action"
        placeholder="Any action"
        allowClear
        className="filter-action"
        value={filter.action}
        onChange={(action) => set({ action })}
        options={[
          { value: "block", label: "Block" },
          { value: "review", label: "Review" },
        ]}
      />
      <Select
        aria-label="Rule"
        placeholder="Any rule"
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        className="filter-rule"
        popupMatchSelectWidth={false}
        value={filter.rule}
        onChange={(rule) => set({ rule })}
        options={rules}
      />
      <Draft
        value={filter.min ? String(filter.min) : ""}
        onCommit={(min) => set({ min: Number(min) > 0 ? Number(min) : undefined })}
        render={(value, change, commit) => (
          <Input
            className="filter-min num"
            aria-label="Least amount in US dollars"
            placeholder="Min USD"
            inputMode="decimal"
            value={value}
            onChange={(event) => change(event.target.value.replace(/[^\d.]/g, ""))}
            onPressEnter={commit}
            onBlur={commit}
          />
        )}
      />
      <Select
        aria-label="Time range"
        placeholder="Any time"
        allowClear
        className="filter-range"
        value={filter.range}
        onChange={(range) => set({ range, from: undefined, to: undefined })}
        options={Object.entries(RANGE_WORDS).map(([value, label]) => ({ value: value as Range, label }))}
      />
      {filter.range === "custom" ? <CustomRange filter={filter} set={set} /> : null}
      <Select
        aria-label="Order"
        className="filter-sort"
        value={filter.sort}
        onChange={(sort) => set({ sort })}
        options={[
          { value: "newest", label: "Newest first" },
          { value: "amount", label: "Largest first" },
        ]}
      />
      {isNarrowed(filter) ? (
        <Button
          type="text"
          icon={<CloseOutlined aria-hidden />}
          onClick={() => onChange({ ...DEFAULT_FILTER, state: filter.state, sort: filter.sort })}
        >
          Clear
        </Button>
      ) : null}
    </div>
  );
}

function CustomRange({ filter, set }: { filter: Filter; set(change: Partial<Filter>): void }) {
  const { timeZone } = useSession();
  const at = (value: string) => (value ? instantOf(value, timeZone).toISOString() : undefined);
  const shown = (instant: string | undefined) => (instant ? localInput(instant, timeZone) : "");
  return (
    <>
      <Input
        type="datetime-local"
        aria-label={`From, in ${timeZone}`}
        className="filter-time"
        value={shown(filter.from)}
        onChange={(event) => set({ from: at(event.target.value) })}
      />
      <Input
        type="datetime-local"
        aria-label={`To, in ${timeZone}`}
        className="filter-time"
        value={shown(filter.to)}
        onChange={(event) => set({ to: at(event.target.value) })}
      />
    </>
  );
}
