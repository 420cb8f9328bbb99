import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useHotkeys } from "../../shared/hotkeys";
import { useLiveStream } from "../../shared/live/useLiveStream";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { LiveControl } from "../../shared/ui/LiveControl";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { AsOf } from "../../shared/ui/values";
import { ContractsTable } from "./ContractsTable";
import { FlowTiles } from "./FlowTiles";
import { FreshnessTable } from "./FreshnessTable";
import { QuarantineList } from "./QuarantineList";
import { type Pipeline, pipelineQuery } from "./queries";
import { ReceiptList } from "./ReceiptList";
import { ThroughputPanel } from "./ThroughputPanel";
import { parseView, type View, viewSearch } from "./view";
import "./pipeline.css";

const EVENTS = ["pipeline"];

/** How the data flows: how much, how fast, how fresh, and what was refused. */
export function PipelinePage() {
  const client = useQueryClient();
  const [paused, setPaused] = useState(false);
  const query = useQuery({ ...pipelineQuery, enabled: !paused });
  const state = useLiveStream(paths.streams.pipeline, EVENTS, {
    onEvent: (_, data) => {
      if (!paused) client.setQueryData(pipelineQuery.queryKey, data as Pipeline);
    },
    onGap: () => void (paused || query.refetch()),
  });
  useHotkeys([{ key: "p", label: "Pause or resume", group: "Pipeline", run: () => setPaused(!paused) }]);
  const part = {
    data: query.data,
    error: query.data ? null : query.error,
    onRetry: () => void query.refetch(),
  };

  return (
    <Page
      title="Pipeline"
      aside={
        <>
          <AsOf at={query.data?.as_of} staleAfterS={paused ? undefined : 10} />
          <LiveControl state={state} paused={paused} onPause={setPaused} />
        </>
      }
    >
      <FlowTiles {...part} />
      <div className="pipeline-parts">
        <ThroughputPanel {...part} />
        <FreshnessTable {...part} />
      </div>
      <ContractsTable {...part} />
      <Records />
    </Page>
  );
}

function Records() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseView(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const { may } = useSession();
  const mayQuarantine = may(permission.readQuarantine);
  const mayReceipts = may(permission.readReceipts);
  if (!mayQuarantine && !mayReceipts) return null;
  const shown = (view.tab === "receipts" && mayReceipts) || !mayQuarantine ? "receipts" : "quarantine";
  const change = (next: View) =>
    void navigate({
      to: paths.pipeline,
      search: viewSearch(next),
      resetScroll: false,
      replace: next.tab === view.tab,
    });
  const parts = [
    ...(mayQuarantine ? [{ name: "quarantine", title: "Quarantined records" } as const] : []),
    ...(mayReceipts ? [{ name: "receipts", title: "Receipts" } as const] : []),
  ];
  return (
    <section className="part" id="records" aria-label="Records">
      <Parts
        label="Records"
        parts={parts}
        shown={shown}
        onShow={(tab) => change({ tab, contract: view.contract })}
      >
        {shown === "receipts" ? (
          <ReceiptList view={view} onChange={change} />
        ) : (
          <QuarantineList view={view} onChange={change} />
        )}
      </Parts>
    </section>
  );
}
