import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Input, Segmented } from "antd";
import { useCallback, useMemo } from "react";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { Loaded } from "../../shared/ui/states";
import { AsOf } from "../../shared/ui/values";
import { ActDrawer } from "./ActDrawer";
import { Acts } from "./Acts";
import { Causes } from "./Causes";
import { Chosen } from "./Chosen";
import { type Choice, causesQuery, parseChoice } from "./queries";
import { RecordDrawer } from "./RecordDrawer";
import "./quarantine.css";

/** Why records are held back, and what can be done about it: mend, release, give up, put back. */
export function QuarantinePage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const choice = useMemo(() => parseChoice(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const change = useCallback(
    (next: Choice) =>
      void navigate({
        to: paths.quarantine,
        search: Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)),
        resetScroll: false,
      }),
    [navigate],
  );
  const causes = useQuery(causesQuery(choice));
  const gone = choice.state === "discarded";
  const chosen = gone || (choice.contract !== undefined && choice.rule !== undefined);
  const asOf = causes.dataUpdatedAt > 0 ? new Date(causes.dataUpdatedAt).toISOString() : undefined;
  const { text, receipt, source } = choice;
  return (
    <Page title="Quarantine" aside={<AsOf at={asOf} />}>
      <div className="filters">
        <Segmented<"waiting" | "discarded">
          aria-label="Which records"
          value={gone ? "discarded" : "waiting"}
          onChange={(value) =>
            change({ text, receipt, source, state: value === "discarded" ? value : undefined })
          }
          options={[
            { value: "waiting", label: "Waiting" },
            { value: "discarded", label: "Discarded" },
          ]}
        />
        <Input.Search
          aria-label="Search in reasons"
          placeholder="Search in reasons"
          className="filter-search"
          allowClear
          key={`text ${text ?? ""}`}
          defaultValue={text}
          onSearch={(value) => change({ receipt, source, state: choice.state, text: value || undefined })}
        />
        <Input.Search
          aria-label="Source"
          placeholder="Source"
          className="filter-search"
          allowClear
          key={`source ${source ?? ""}`}
          defaultValue={source}
          onSearch={(value) => change({ receipt, text, state: choice.state, source: value || undefined })}
        />
        {receipt ? (
          <Button onClick={() => change({ text, source, state: choice.state })}>
            Of receipt {receipt.slice(0, 12)}… ×
          </Button>
        ) : null}
        <Button loading={causes.isRefetching} onClick={() => void causes.refetch()}>
          Refresh
        </Button>
      </div>
      {gone ? null : (
        <section className="part" aria-label="Why records wait">
          <Loaded query={causes} what="The causes" rows={4} height={40}>
            {(data) => <Causes causes={data.items} choice={choice} onChange={change} />}
          </Loaded>
        </section>
      )}
      {chosen ? <Chosen choice={choice} onChange={change} /> : null}
      <Acts onOpen={(act) => change({ ...choice, act })} />
      <RecordDrawer id={choice.record} onClose={() => change({ ...choice, record: undefined })} />
      <ActDrawer id={choice.act} onClose={() => change({ ...choice, act: undefined })} />
    </Page>
  );
}
