import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { AsOf, When } from "../../../shared/ui/values";
import { LearningPanel } from "./LearningPanel";
import { type ModelSummary, modelsQuery } from "./queries";
import { TrainDialog } from "./TrainDialog";
import { MeasureText, ModelState, WatchTag } from "./words";
import "./models.css";
import { TableBox } from "../../../shared/ui/TableBox";

/** Every model of the firm: what decides, what is tried beside it, what waits and what was before. */
export function ModelsPage() {
  const { may } = useSession();
  const query = useQuery(modelsQuery);
  const { data } = query;
  const [training, setTraining] = useState(false);
  const learn = may(permission.writeModels) ? (
    <Button type="primary" onClick={() => setTraining(true)}>
      Learn a model …
    </Button>
  ) : null;
  return (
    <Page title="Models" aside={data ? <AsOf at={data.as_of} /> : null}>
      {data?.learning ? <LearningPanel learning={data.learning} /> : null}
      <NotYet query={query} what="The models" rows={6} height={44} />
      {data?.items.length === 0 ? (
        <EmptyState title="No model yet" action={learn}>
          A model learns from past payments and what became of them, and gives every payment a probability of
          fraud. Until there is one, rules decide alone.
        </EmptyState>
      ) : null}
      {data && data.items.length > 0 ? (
        <>
          <div className="models-bar">{learn}</div>
          <ModelTable models={data.items} />
        </>
      ) : null}
      {training ? <TrainDialog onClose={() => setTraining(false)} /> : null}
    </Page>
  );
}

function ModelTable({ models }: { models: readonly ModelSummary[] }) {
  return (
    <TableBox className="models-box">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">State</th>
            <th scope="col" className="right">
              Average precision
            </th>
            <th scope="col" className="right">
              Recall
            </th>
            <th scope="col" className="right">
              False positives
            </th>
            <th scope="col" className="right">
              Threshold
            </th>
            <th scope="col">Monitors</th>
            <th scope="col">Registered</th>
            <th scope="col">Owner</th>
          </tr>
        </thead>
        <tbody>
          {models.map((one) => (
            <Row key={one.id} model={one} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ model: one }: { model: ModelSummary }) {
  const cell = (name: string) => {
    const found = one.measures.find((each) => each.name === name);
    return <td className="right num">{found ? <MeasureText measure={found} /> : "–"}</td>;
  };
  return (
    <tr>
      <th scope="row">
        <Link to={paths.model} params={{ id: one.id }}>
          {one.name}
        </Link>
        <span className="muted models-bounds">
          version {one.version}, <code>{one.sha256.slice(0, 12)}</code>
        </span>
      </th>
      <td>
        <ModelState state={one.state} />
      </td>
      {cell("average precision")}
      {cell("recall")}
      {cell("false-positive rate")}
      <td className="right num">{one.threshold.toPrecision(3)}</td>
      <td>{one.watch ? <WatchTag state={one.watch} /> : <span className="muted">–</span>}</td>
      <td className="nowrap">
        <When at={one.registered_at} />
      </td>
      <td>{one.owner || "–"}</td>
    </tr>
  );
}
