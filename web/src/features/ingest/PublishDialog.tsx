import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { contractWord } from "../../shared/contracts";
import { paths } from "../../shared/paths";
import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { type ContractDraft, proposeDraft } from "./queries";

/** Asks for a draft to come into force; somebody else approves it. */
export function PublishDialog({ draft, onClose }: { draft: ContractDraft; onClose(): void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const propose = async (reason: string) => {
    const { published } = await proposeDraft(draft, reason);
    await client.invalidateQueries({ queryKey: ["contracts"] });
    if (published) await navigate({ to: paths.contract, params: { contract: draft.contract } });
    else await navigate({ to: paths.approvals });
  };
  return (
    <ReasonDialog
      title={`Publish ${contractWord(draft.contract)} ${draft.version}`}
      text="Somebody else approves it on the page Approvals. From that moment records are held to it."
      okText="Propose it"
      onReason={propose}
      onClose={onClose}
    />
  );
}
