import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { Page } from "../../shared/ui/Page";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { AsOf } from "../../shared/ui/values";
import { WhyVisible } from "../../shared/ui/WhyVisible";
import { ClosedIncidents } from "./ClosedIncidents";
import { ContractDrawer } from "./ContractDrawer";
import { ContractRow } from "./ContractRow";
import { IncidentDrawer } from "./IncidentDrawer";
import { MonitorDrawer } from "./MonitorDrawer";
import { OpenIncidents } from "./OpenIncidents";
import { parseView, qualityQuery, type View } from "./queries";
import "./quality.css";

/** Whether the records of each contract are as usual: what is not first, then scores, then what was. */
export function QualityPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseView(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const go = (next: View) => void navigate({ to: paths.quality, search: { ...next }, resetScroll: false });
  const query = useQuery(qualityQuery);
  const data = query.data;
  let contracts = <RowsSkeleton rows={6} height={52} label="Loading the scores" />;
  if (query.error && !data) {
    contracts = <FailureState what="The scores" error={query.error} onRetry={() => void query.refetch()} />;
  } else if (data) {
    contracts = (
      <ul aria-label="Contracts">
        {data.contracts.map((each) => (
          <ContractRow key={each.contract} one={each} onOpen={() => go({ contract: each.contract })} />
        ))}
      </ul>
    );
  }
  return (
    <Page
      title="Quality"
      aside={
        <>
          <WhyVisible needs={permission.readQuality} what="the quality of the firm's records" />
          <AsOf at={data?.as_of} staleAfterS={30} />
        </>
      }
    >
      <OpenIncidents
        quality={data}
        failed={query.error !== null && !data}
        onOpen={(incident) => go({ incident })}
      />
      <section className="part" aria-label="Contracts">
        <h2>
          Contracts <span className="muted">the share of records that pass when they arrive</span>
        </h2>
        {contracts}
      </section>
      <ClosedIncidents onOpen={(incident) => go({ incident })} />
      <IncidentDrawer id={view.monitor ? undefined : view.incident} go={go} />
      <ContractDrawer contract={view.monitor || view.incident ? undefined : view.contract} go={go} />
      <MonitorDrawer id={view.monitor} view={view} go={go} />
    </Page>
  );
}
