import { ArrowDownOutlined, ArrowUpOutlined, CloseOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Button, Tooltip } from "antd";
import { type ReactNode, useEffect, useRef } from "react";
import { isProblem } from "../../api/problem";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { useTitle } from "../../shared/ui/Page";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { ActionTag, StateTag } from "../../shared/ui/tags";
import { Amount, When } from "../../shared/ui/values";
import { AlertFacts } from "./AlertFacts";
import { AlertFeatures } from "./AlertFeatures";
import { AlertReasons } from "./AlertReasons";
import { AlertTimeline } from "./AlertTimeline";
import { AlertWork } from "./AlertWork";
import { type AlertDetail, alertQuery } from "./queries";
import { useTriage } from "./triage";
import { placeText, shortId } from "./words";

const JUDGED: Record<AlertDetail["state"], string> = {
  open: "Open",
  confirmed_fraud: "Confirmed as fraud",
  dismissed: "Dismissed",
  undetermined: "Left undetermined",
};

/** One alert: why it was raised, what is known, and the buttons that judge it. */
export function AlertPanel() {
  const { id }: { id?: string } = useParams({ strict: false });
  const { data, error, isPending, refetch } = useQuery({
    ...alertQuery(id ?? ""),
    enabled: id !== undefined,
  });
  const { step, close } = useTriage();
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(`Alert ${shortId(id ?? "")}`);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another alert begins at its top.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id]);

  let body: ReactNode;
  if (data) body = <Detail key={data.id} alert={data} />;
  else if (isPending) {
    body = (
      <div className="panel-body">
        <BlockSkeleton height={120} label="Loading the alert" />
        <BlockSkeleton height={200} label="Loading the alert" />
      </div>
    );
  } else if (isProblem(error, 404)) {
    body = (
      <EmptyState title="There is no such alert" action={<Button onClick={close}>Back to the list</Button>}>
        Nothing of your firm has the id {id}. Check the address, or look for the account in the list.
      </EmptyState>
    );
  } else body = <FailureState what="The alert" error={error} onRetry={() => void refetch()} />;

  return (
    <aside className="panel" aria-label="Alert">
      <header className="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          Alert <span className="num muted">{shortId(id ?? "")}</span>
        </h2>
        <Tooltip title="Alert before (k)">
          <Button
            type="text"
            icon={<ArrowUpOutlined aria-hidden />}
            aria-label="Alert before"
            onClick={() => step(-1)}
          />
        </Tooltip>
        <Tooltip title="Next alert (j)">
          <Button
            type="text"
            icon={<ArrowDownOutlined aria-hidden />}
            aria-label="Next alert"
            onClick={() => step(1)}
          />
        </Tooltip>
        <Tooltip title="Close (Esc)">
          <Button
            type="text"
            icon={<CloseOutlined aria-hidden />}
            aria-label="Close the alert"
            onClick={close}
          />
        </Tooltip>
      </header>
      {body}
    </aside>
  );
}

function Detail({ alert }: { alert: AlertDetail }) {
  const { may } = useSession();
  const { judge } = useTriage();
  return (
    <>
      <div className="panel-body">
        <section className={`verdict verdict-${alert.action}`} aria-label="Verdict">
          <div className="verdict-line">
            <ActionTag action={alert.action} />
            <StateTag state={alert.state} />
            <span className="push muted">
              <When at={alert.occurred_at} />
            </span>
          </div>
          <p className="verdict-amount">
            <Amount money={alert.amount} />
            {alert.amount_usd && alert.amount_usd.currency !== alert.amount.currency ? (
              <span className="muted verdict-usd">
                = <Amount money={alert.amount_usd} />
              </span>
            ) : null}
          </p>
          <p className="muted">{placeText(alert)}</p>
        </section>
        {alert.resolution ? (
          <section className="resolution" aria-label="Judgement">
            <strong>{JUDGED[alert.state]}</strong> by {alert.resolution.by}, <When at={alert.resolution.at} />
            {alert.resolution.note ? <q>{alert.resolution.note}</q> : null}
          </section>
        ) : null}
        {alert.case_id && may(permission.readCases) ? (
          <Link to={paths.case} params={{ id: alert.case_id }}>
            Open the case of this alert
          </Link>
        ) : null}
        <AlertWork alert={alert} />
        <AlertReasons alert={alert} />
        <AlertFacts alert={alert} />
        <AlertTimeline events={alert.timeline} />
        <AlertFeatures features={alert.features} />
      </div>
      {alert.state === "open" && may(permission.resolveAlerts) ? (
        <footer className="panel-foot">
          <Button type="primary" danger onClick={() => judge([alert], "confirmed_fraud")}>
            Confirm fraud <kbd>c</kbd>
          </Button>
          <Button onClick={() => judge([alert], "dismissed")}>
            Dismiss <kbd>d</kbd>
          </Button>
        </footer>
      ) : null}
    </>
  );
}
