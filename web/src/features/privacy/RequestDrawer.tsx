import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Fact } from "../../shared/ui/Fact";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { AskDialog } from "./AskDialog";
import { Due } from "./Due";
import { downloadFile, type RequestWithSteps, requestQuery, type Step, takeStep } from "./queries";
import { HOLDS, KINDS, LAWS, STATES, STEPS, STEPS_DONE } from "./words";

const APPROVER: readonly Step[] = ["approve", "send_back"];
const BY_HAND: readonly Step[] = ["verify", "propose", "complete", "restrict", "extend", "refuse"];
const OPTIONAL: readonly Step[] = ["propose", "approve"];

/** One request: who asks what, everything that was done, and what can be done next. */
export function RequestDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={600} title="Subject request">
      {id ? <Contents id={id} /> : null}
    </SideDrawer>
  );
}

function Contents({ id }: { id: string }) {
  const query = useQuery(requestQuery(id));
  if (!query.data) return <NotYet query={query} what="The request" rows={5} height={32} />;
  return <Request found={query.data} />;
}

function Request({ found }: { found: RequestWithSteps }) {
  const { request, steps } = found;
  return (
    <div className="record">
      <dl className="facts">
        <Fact name="Asks to">{KINDS[request.kind]}</Fact>
        <Fact name="Person">{request.subject}</Fact>
        <Fact name="Law">{LAWS[request.law]}</Fact>
        <Fact name="State">
          <Tag {...STATES[request.state]} />
        </Fact>
        <Fact name="Received">
          <When at={request.received_at} />
        </Fact>
        <Fact name={request.closed_at ? "Closed" : "Time left"}>
          {request.closed_at ? <When at={request.closed_at} /> : <Due at={request.due_at} />}
        </Fact>
        <Fact name="Id">
          <span className="num">{request.id}</span>
        </Fact>
        {request.held ? (
          <Fact name="Hold">
            <Tag word={HOLDS[request.held] ?? request.held} tone="block" />
          </Fact>
        ) : null}
      </dl>
      <Actions found={found} />
      <h3>What was done</h3>
      <ol className="privacy-steps">
        {steps.map((step) => (
          <li key={`${step.at} ${step.step}`}>
            <p>
              <strong>{STEPS_DONE[step.step]}</strong> <span className="muted">by {step.by}, </span>
              <span className="muted">
                <When at={step.at} />
              </span>
            </p>
            {step.note ? <p className="privacy-note">{step.note}</p> : null}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Actions({ found }: { found: RequestWithSteps }) {
  const { request, allowed } = found;
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [asking, setAsking] = useState<Step | null>(null);
  const mine = allowed.filter(
    (step) =>
      (BY_HAND.includes(step) && may(permission.writePrivacy)) ||
      (APPROVER.includes(step) && may(permission.approvePrivacy)),
  );
  const file = allowed.includes("download") && may(permission.exportPrivacy);
  const download = async (form: "json" | "html") => {
    try {
      await downloadFile(request, form);
      await client.invalidateQueries({ queryKey: ["privacy"] });
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  if (mine.length === 0 && !file) return null;
  return (
    <div className="privacy-actions">
      {file ? <Button onClick={() => void download("html")}>Download as a page</Button> : null}
      {file ? <Button onClick={() => void download("json")}>Download as JSON</Button> : null}
      {mine.map((step) => (
        <Button
          key={step}
          type={step === "approve" || step === "verify" || step === "propose" ? "primary" : "default"}
          danger={step === "refuse" || (step === "approve" && request.kind === "erase")}
          onClick={() => setAsking(step)}
        >
          {STEPS[step]}
        </Button>
      ))}
      {asking ? (
        <AskDialog
          title={STEPS[asking]}
          label={asking === "verify" ? "How the identity was checked" : "Note"}
          action={STEPS[asking]}
          danger={asking === "refuse" || (asking === "approve" && request.kind === "erase")}
          required={!OPTIONAL.includes(asking)}
          onClose={() => setAsking(null)}
          onSubmit={async (note) => {
            client.setQueryData(requestQuery(request.id).queryKey, await takeStep(request, asking, note));
            await client.invalidateQueries({ queryKey: ["privacy"] });
          }}
        >
          {asking === "approve" && request.kind === "erase" ? (
            <p>The person is erased at once: nobody can bring the data back.</p>
          ) : null}
        </AskDialog>
      ) : null}
    </div>
  );
}
