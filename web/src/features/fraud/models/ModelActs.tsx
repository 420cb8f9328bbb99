import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { App, Button } from "antd";
import { useState } from "react";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { ReasonDialog } from "../../../shared/ui/ReasonDialog";
import { reasonOf } from "../../../shared/ui/states";
import {
  type ModelDetail,
  proposeModel,
  retireModel,
  shadowModel,
  watchModels,
  withdrawModel,
} from "./queries";

type Asked = "propose" | "withdraw" | "retire";

/** What can be done with a model as it stands. */
export function ModelActs({ model }: { model: ModelDetail }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked | null>(null);
  if (!may(permission.writeModels)) return null;
  const renewed = () => client.invalidateQueries({ queryKey: ["models"] });
  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      await renewed();
      message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
    }
  };
  const close = () => setAsked(null);
  return (
    <span className="models-acts">
      {model.state === "candidate" || model.state === "retired" ? (
        <Button
          type={model.state === "candidate" ? "primary" : "default"}
          onClick={() =>
            void act(() => shadowModel(model.id), "It scores live payments from now on, and decides nothing.")
          }
        >
          Try in shadow
        </Button>
      ) : null}
      {model.state === "challenger" ? (
        <Button type="primary" onClick={() => setAsked("propose")}>
          Propose as champion …
        </Button>
      ) : null}
      {model.state === "challenger" || model.state === "champion" ? (
        <Button onClick={() => void act(watchModels, "The monitors look now. It takes a moment.")}>
          Look now
        </Button>
      ) : null}
      {model.state === "challenger" || model.state === "candidate" ? (
        <Button onClick={() => setAsked("retire")}>Retire …</Button>
      ) : null}
      {model.state === "champion" ? (
        <Button danger onClick={() => setAsked("withdraw")}>
          Take out of force …
        </Button>
      ) : null}
      {asked === "propose" ? (
        <ReasonDialog
          title={`Let ${model.name} decide`}
          text="Somebody else approves it on the page Approvals. From that moment it scores and decides, and the champion of today is kept to come back to."
          okText="Propose it"
          onClose={close}
          onReason={async (reason) => {
            const { done } = await proposeModel(model.id, reason);
            await renewed();
            if (!done) await navigate({ to: paths.approvals });
          }}
        />
      ) : null}
      {asked === "withdraw" ? (
        <ReasonDialog
          title={`Take ${model.name} out of force`}
          text="The champion before it decides again at once. Without one, rules decide alone."
          okText="Take it out of force"
          danger
          onClose={close}
          onReason={async (reason) => {
            await withdrawModel(model.id, reason);
            await renewed();
          }}
        />
      ) : null}
      {asked === "retire" ? (
        <ReasonDialog
          title={`Retire ${model.name}`}
          text="It scores payments no longer. It stays in the registry, and can be tried again."
          okText="Retire it"
          onClose={close}
          onReason={async (reason) => {
            await retireModel(model.id, reason);
            await renewed();
          }}
        />
      ) : null}
    </span>
  );
}
