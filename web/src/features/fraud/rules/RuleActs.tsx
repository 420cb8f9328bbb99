import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { App, Button, Checkbox, Form, Popconfirm } from "antd";
import { useState } from "react";
import { isProblem } from "../../../api/problem";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { ReasonDialog } from "../../../shared/ui/ReasonDialog";
import { reasonOf } from "../../../shared/ui/states";
import {
  beginDraft,
  discardDraft,
  proposeRule,
  type RuleDetail,
  type RuleVersion,
  restoreRule,
  retireRule,
  shadowRule,
  stopRule,
} from "./queries";

type Asked = "propose" | "stop" | "restore" | "retire";

interface ActsProps {
  detail: RuleDetail;
  shown: RuleVersion;
  /** Whether something is written of it that is not saved, and so would not be what is tried. */
  unsaved: boolean;
}

/** What can be done with a rule as it stands. */
export function RuleActs({ detail, shown, unsaved }: ActsProps) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [trying, setTrying] = useState(false);
  if (!may(permission.writeRules)) return null;
  const live = detail.versions.find((one) => one.state === "live");
  const stopped = detail.versions.find((one) => one.demoted_at && one.state !== "live");
  const renewed = () => client.invalidateQueries({ queryKey: ["rules"] });
  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      await renewed();
      message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
      // Somebody else was first: what they made is shown.
      if (isProblem(error, 409)) void renewed();
    }
  };
  const discard = () =>
    act(async () => {
      await discardDraft(shown);
      if (detail.versions.length === 1) await navigate({ to: paths.rules });
    }, "The draft is gone.");
  const priced = !unsaved && shown.price?.state === "done" && shown.price.revision === shown.revision;
  return (
    <span className="rules-acts">
      {shown.state === "draft" ? (
        <>
          <Button type={priced ? "primary" : "default"} disabled={!priced} onClick={() => setTrying(true)}>
            Try in shadow …
          </Button>
          <Popconfirm title="Discard this draft?" okText="Discard" onConfirm={() => void discard()}>
            <Button danger type="text">
              Discard
            </Button>
          </Popconfirm>
        </>
      ) : (
        <Button
          onClick={() =>
            void act(() => beginDraft(detail.rule, shown.text, ""), "A draft of the next version has begun.")
          }
        >
          New version
        </Button>
      )}
      {shown.state === "shadow" ? (
        <>
          <Button type="primary" onClick={() => setAsked("propose")}>
            Propose to go live …
          </Button>
          <Button onClick={() => setAsked("retire")}>Retire …</Button>
        </>
      ) : null}
      {stopped && !live && may(permission.approveRules) ? (
        <Button onClick={() => setAsked("restore")}>Restore version {stopped.version} …</Button>
      ) : null}
      {live ? (
        <Button danger onClick={() => setAsked("stop")}>
          Stop …
        </Button>
      ) : null}
      {trying ? (
        <ShadowDialog version={shown} onClose={() => setTrying(false)} onDone={() => void renewed()} />
      ) : null}
      {asked === "propose" ? (
        <ReasonDialog
          title={`Put ${detail.rule} ${shown.version} in force`}
          text="Somebody else approves it on the page Approvals. From that moment it decides."
          okText="Propose it"
          onClose={() => setAsked(null)}
          onReason={async (reason) => {
            const { done } = await proposeRule(shown, reason);
            await renewed();
            if (!done) await navigate({ to: paths.approvals });
          }}
        />
      ) : null}
      {asked === "stop" && live ? (
        <ReasonDialog
          title={`Stop ${detail.rule} ${live.version}`}
          text="It goes on in shadow at once: it blocks and alerts no more, and is still counted."
          okText="Stop it"
          danger
          onClose={() => setAsked(null)}
          onReason={async (reason) => {
            await stopRule(live, reason);
            await renewed();
          }}
        />
      ) : null}
      {asked === "restore" && stopped ? (
        <ReasonDialog
          title={`Restore ${detail.rule} ${stopped.version}`}
          text={`${stopped.demotion} Restored, it decides again as it was approved, and its cap counts from now on.`}
          okText="Restore it"
          onClose={() => setAsked(null)}
          onReason={async (reason) => {
            await restoreRule(stopped, reason);
            await renewed();
          }}
        />
      ) : null}
      {asked === "retire" ? (
        <ReasonDialog
          title={`Retire ${detail.rule} ${shown.version}`}
          text="It is tried no longer. Its versions stay, and a new one can be written."
          okText="Retire it"
          onClose={() => setAsked(null)}
          onReason={async (reason) => {
            await retireRule(shown, reason);
            await renewed();
          }}
        />
      ) : null}
    </span>
  );
}

function ShadowDialog({
  version,
  onClose,
  onDone,
}: {
  version: RuleVersion;
  onClose(): void;
  onDone(): void;
}) {
  const price = version.price;
  const broad = (price?.hits ?? 0) > 0.2 * (price?.events ?? 0) && (price?.events ?? 0) > 0;
  const meant = (_: unknown, confirmed?: boolean) =>
    confirmed ? Promise.resolve() : Promise.reject(new Error("Say that it is meant so, or narrow the rule."));
  return (
    <FormDialog<{ confirmed?: boolean }>
      title={`Try ${version.rule} ${version.version} in shadow`}
      okText="Try it"
      onSubmit={async ({ confirmed = false }) => {
        await shadowRule(version, confirmed);
        onDone();
      }}
      onClose={onClose}
    >
      <p>
        It is held to live payments and counted, and decides nothing. A version in shadow takes the place of
        another.
      </p>
      {broad ? (
        <Form.Item name="confirmed" valuePropName="checked" rules={[{ validator: meant }]}>
          <Checkbox>It holds for more than a fifth of all payments, and is meant so</Checkbox>
        </Form.Item>
      ) : null}
    </FormDialog>
  );
}
