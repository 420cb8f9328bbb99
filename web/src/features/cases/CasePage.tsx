import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useRef, useState } from "react";
import { isProblem } from "../../api/problem";
import { useHotkeys } from "../../shared/hotkeys";
import type { Money } from "../../shared/money";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Fact } from "../../shared/ui/Fact";
import { Page } from "../../shared/ui/Page";
import { Parts } from "../../shared/ui/Parts";
import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { Amount } from "../../shared/ui/values";
import { NotKnownYet, useWorth } from "../../shared/ui/Worth";
import { CaseActions } from "./CaseActions";
import { CaseAlerts } from "./CaseAlerts";
import { CaseFiles } from "./CaseFiles";
import { CaseHistory } from "./CaseHistory";
import { CaseLinks } from "./CaseLinks";
import { CaseReport } from "./CaseReport";
import { CaseTimeline } from "./CaseTimeline";
import { Checklist } from "./Checklist";
import { CloseDialog } from "./CloseDialog";
import { Owner } from "./Owner";
import { queuePlace, useHalfWrittenNote } from "./place";
import { CASES, type CaseDocument, caseQuery, reopen, setState, take, takeNext } from "./queries";
import { useAct } from "./useAct";
import { CaseStateTag, Due, PriorityTag, TYPOLOGIES, type Verdict } from "./words";
import "./cases.css";

const TABS = ["alerts", "timeline", "links", "history"] as const;
type Tab = (typeof TABS)[number];

/** One case: its alerts with their reasons, what the customer did, whom they are linked with, and the work on it. */
export function CasePage() {
  const { id }: { id?: string } = useParams({ strict: false });
  const { data, error, isPending, refetch } = useQuery({ ...caseQuery(id ?? ""), enabled: id !== undefined });
  if (data) return <Found key={data.id} found={data} />;
  if (isPending) {
    return (
      <Page title="Case">
        <BlockSkeleton height={120} label="Loading the case" />
        <BlockSkeleton height={300} label="Loading the case" />
      </Page>
    );
  }
  return (
    <Page title="Case">
      {isProblem(error, 404) ? (
        <EmptyState title="There is no such case" action={<Link to={paths.cases}>Back to the queue</Link>}>
          Nothing that you reach has this id. Somebody else may have been given the case.
        </EmptyState>
      ) : (
        <FailureState what="The case" error={error} onRetry={() => void refetch()} />
      )}
    </Page>
  );
}

function Found({ found }: { found: CaseDocument }) {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const tab = TABS.find((each) => each === search.tab) ?? "alerts";
  const navigate = useNavigate();
  const { me, may } = useSession();
  const client = useQueryClient();
  const [busy, act] = useAct();
  const [closing, setClosing] = useState<Verdict | null>(null);
  const [asking, setAsking] = useState<"waiting" | "reopen" | null>(null);
  const note = useHalfWrittenNote(found.id);
  const noteRef = useRef<HTMLTextAreaElement | null>(null);
  const open = found.closed_at === null;
  const works = may(permission.workCases);
  const mine = found.assignee_id === me.user.id;

  const show = (next: Tab) =>
    void navigate({
      to: paths.case,
      params: { id: found.id },
      search: next === "alerts" ? {} : { tab: next },
      replace: true,
    });
  const close = (verdict: Verdict) => open && may(permission.closeCases) && setClosing(verdict);
  const takeIt = () =>
    open &&
    works &&
    !mine &&
    void act(
      () => take(found),
      () => "It is yours.",
    );
  const next = async () => {
    const taken = works ? await act(takeNext, (one) => `You have case #${one.number}.`) : undefined;
    if (taken) void navigate({ to: paths.case, params: { id: taken.id } });
  };
  const back = () => void navigate({ to: paths.cases, search: queuePlace(client).search });
  const keys = { group: "Case" };
  useHotkeys([
    { ...keys, key: "t", label: "Take the case", run: takeIt },
    { ...keys, key: "f", label: "Close as fraud", run: () => close("confirmed_fraud") },
    { ...keys, key: "g", label: "Close as genuine", run: () => close("dismissed") },
    { ...keys, key: "m", label: "Write a note", run: () => noteRef.current?.focus() },
    { ...keys, key: "n", label: "Take the next case", run: () => void next() },
    { ...keys, key: "1", label: "Alerts", run: () => show("alerts") },
    { ...keys, key: "2", label: "Timeline", run: () => show("timeline") },
    { ...keys, key: "3", label: "Links", run: () => show("links") },
    { ...keys, key: "4", label: "History", run: () => show("history") },
    { ...keys, key: "Escape", label: "Back to the queue", run: back },
  ]);

  return (
    <Page
      title={`Case #${found.number}`}
      aside={
        <span className="page-tools">
          <Link to={paths.cases} search={queuePlace(client).search}>
            Queue
          </Link>
          {open && works && !mine ? (
            <Button onClick={takeIt} loading={busy}>
              Take it <kbd>t</kbd>
            </Button>
          ) : null}
          {open && works && found.state !== "waiting" ? (
            <Button onClick={() => setAsking("waiting")}>Wait for somebody</Button>
          ) : null}
          {found.state === "waiting" && works ? (
            <Button
              onClick={() =>
                void act(
                  () => setState(found, "investigating", ""),
                  () => "It goes on.",
                )
              }
            >
              Go on
            </Button>
          ) : null}
          {open && may(permission.closeCases) ? (
            <>
              <Button type="primary" danger onClick={() => close("confirmed_fraud")}>
                Fraud <kbd>f</kbd>
              </Button>
              <Button onClick={() => close("dismissed")}>
                Genuine <kbd>g</kbd>
              </Button>
            </>
          ) : null}
          {!open && may(permission.closeCases) ? (
            <Button onClick={() => setAsking("reopen")}>Open again</Button>
          ) : null}
        </span>
      }
    >
      <Facts found={found} />
      <div className="case">
        <div className="case-main">
          <Parts
            label="Parts of the case"
            parts={[
              { name: "alerts", title: `Alerts (${found.alerts})` },
              { name: "timeline", title: "Timeline" },
              { name: "links", title: "Links" },
              { name: "history", title: "History" },
            ]}
            shown={tab}
            onShow={show}
          >
            {tab === "alerts" ? <CaseAlerts found={found} /> : null}
            {tab === "timeline" ? <CaseTimeline id={found.id} alerts={found.alert_list} /> : null}
            {tab === "links" ? <CaseLinks id={found.id} /> : null}
            {tab === "history" ? <CaseHistory found={found} note={note} noteRef={noteRef} /> : null}
          </Parts>
        </div>
        <aside className="case-side" aria-label="Work on the case">
          <Owner found={found} />
          <Checklist found={found} />
          <CaseActions found={found} mine={mine} />
          <CaseFiles found={found} />
          <CaseReport found={found} mine={mine} />
          {tab === "history" ? null : <CaseHistory found={found} note={note} noteRef={noteRef} brief />}
        </aside>
      </div>
      {closing ? <CloseDialog cases={[found]} verdict={closing} onClose={() => setClosing(null)} /> : null}
      {asking ? (
        <ReasonDialog
          title={asking === "waiting" ? "Wait for somebody" : "Open the case again"}
          text={
            asking === "waiting"
              ? "For whom or what does the case wait? Its due time goes on."
              : "Its alerts stay judged until they are judged anew."
          }
          okText={asking === "waiting" ? "Wait" : "Open again"}
          onClose={() => setAsking(null)}
          onReason={async (reason) => {
            await (asking === "waiting" ? setState(found, "waiting", reason) : reopen(found, reason));
            void client.invalidateQueries({ queryKey: [CASES] });
          }}
        />
      ) : null}
    </Page>
  );
}

/** An amount as the firm counts, and beside it the dollars that priorities and limits are set in. */
function Whole({ usd }: { usd: Money }) {
  const worth = useWorth();
  if (worth === null) return <NotKnownYet />;
  const own = worth(usd);
  return (
    <>
      <Amount money={own} />
      {own.currency === usd.currency ? null : (
        <span className="muted">
          {" "}
          = <Amount money={usd} />
        </span>
      )}
    </>
  );
}

function Facts({ found }: { found: CaseDocument }) {
  return (
    <dl className="case-facts">
      <Fact name="State">
        <CaseStateTag of={found} />
      </Fact>
      <Fact name="Priority">
        <PriorityTag priority={found.priority} />
      </Fact>
      <Fact name={found.closed_at ? "Closed" : "Due"}>
        <Due of={found} />
        {found.closed_by ? <span className="muted"> by {found.closed_by}</span> : null}
      </Fact>
      <Fact name="Expected loss">
        <Whole usd={found.expected_loss_usd} />
      </Fact>
      <Fact name="All payments">
        <Whole usd={found.amount_usd} />
      </Fact>
      <Fact name="Kind">{TYPOLOGIES[found.typology]}</Fact>
      <Fact name="Customer">{found.customer_id ?? "–"}</Fact>
      <Fact name="Account">{found.account_id ?? "–"}</Fact>
      <Fact name="Alerts">{`${found.open_alerts} open of ${found.alerts}`}</Fact>
    </dl>
  );
}
