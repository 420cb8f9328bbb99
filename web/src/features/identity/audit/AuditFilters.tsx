import { CloseOutlined, SearchOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Input, type InputRef, Select } from "antd";
import { type RefObject, useRef } from "react";
import { actionWord } from "../../../shared/acts";
import { useHotkeys } from "../../../shared/hotkeys";
import { useSession } from "../../../shared/session";
import { instantOf, localInput } from "../../../shared/time";
import { Draft } from "../../../shared/ui/Draft";
import { type AuditFilter, isNarrowed, OUTCOMES } from "./filter";
import { actionsQuery } from "./queries";

interface FiltersProps {
  filter: AuditFilter;
  onChange(filter: AuditFilter): void;
}

/** What narrows the trail. Everything here is in the address, so a view can be sent to a colleague. */
export function AuditFilters({ filter, onChange }: FiltersProps) {
  const client = useQueryClient();
  const { timeZone } = useSession();
  const { data: known } = useQuery(actionsQuery);
  const first = useRef<InputRef>(null);
  useHotkeys([{ key: "/", label: "Search by person", group: "Audit", run: () => first.current?.focus() }]);
  const set = (change: Partial<AuditFilter>) => onChange({ ...filter, ...change });
  const actions = [...new Set([...(known?.items ?? []), ...(filter.action ? [filter.action] : [])])];
  const text = (
    key: "actor" | "subject" | "origin",
    label: string,
    hint: string,
    ref?: RefObject<InputRef | null>,
  ) => (
    <Draft
      value={filter[key] ?? ""}
      onCommit={(value) => set({ [key]: value.trim() || undefined })}
      render={(value, change, commit) => (
        <Input
          ref={ref}
          className="audit-text"
          aria-label={label}
          placeholder={hint}
          prefix={ref ? <SearchOutlined aria-hidden /> : undefined}
          suffix={ref ? <kbd aria-hidden>/</kbd> : undefined}
          value={value}
          onChange={(event) => change(event.target.value)}
          onPressEnter={commit}
          onBlur={commit}
        />
      )}
    />
  );
  const moment = (key: "from" | "to", label: string) => (
    <Input
      type="datetime-local"
      aria-label={`${label}, in ${timeZone}`}
      className="audit-time"
      prefix={<span className="muted">{label}</span>}
      value={filter[key] ? localInput(filter[key], timeZone) : ""}
      onChange={(event) =>
        set({ [key]: event.target.value ? instantOf(event.target.value, timeZone).toISOString() : undefined })
      }
    />
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: the element <search> is too new for some browsers in use.
    <div className="filters" role="search" aria-label="Filter entries">
      {text("actor", "Person or machine, by whole name or id", "Who (name or id)", first)}
      <Select
        aria-label="Action"
        placeholder="Any action"
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        className="audit-action"
        popupMatchSelectWidth={false}
        value={filter.action}
        onChange={(action) => set({ action })}
        options={actions.map((value) => ({ value, label: actionWord(value) }))}
      />
      <Select
        aria-label="Outcome"
        placeholder="Any outcome"
        allowClear
        className="audit-outcome"
        popupMatchSelectWidth={false}
        value={filter.outcome}
        onChange={(outcome) => set({ outcome })}
        options={OUTCOMES}
      />
      {text("subject", "Subject", "On what (id)")}
      {text("origin", "Network address", "From (address)")}
      {moment("from", "From")}
      {moment("to", "To")}
      {isNarrowed(filter) ? (
        <Button type="text" icon={<CloseOutlined aria-hidden />} onClick={() => onChange({})}>
          Clear
        </Button>
      ) : null}
      <Button onClick={() => void client.invalidateQueries({ queryKey: ["audit"] })}>Refresh</Button>
    </div>
  );
}
