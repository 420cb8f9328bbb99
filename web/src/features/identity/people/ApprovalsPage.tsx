import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Segmented } from "antd";
import { paths } from "../../../shared/paths";
import { Page } from "../../../shared/ui/Page";
import { EmptyState, NotYet } from "../../../shared/ui/states";
import { ProposalCard } from "./ProposalCard";
import { proposalsQuery } from "./queries";
import "./people.css";

/** What waits for a second person, and what became of the rest. */
export function ApprovalsPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const state = search.state === "decided" ? "decided" : "waiting";
  const query = useQuery(proposalsQuery);
  const { data } = query;
  const waiting = data?.filter((one) => one.state === "waiting") ?? [];
  const found = state === "waiting" ? waiting : (data?.filter((one) => one.state !== "waiting") ?? []);
  return (
    <Page title="Approvals">
      <div className="people-bar">
        <Segmented
          aria-label="State"
          value={state}
          onChange={(next) => void navigate({ to: paths.approvals, search: { state: next }, replace: true })}
          options={[
            { value: "waiting", label: waiting.length > 0 ? `Waiting (${waiting.length})` : "Waiting" },
            { value: "decided", label: "Decided" },
          ]}
        />
      </div>
      <NotYet query={query} what="The proposals" rows={4} height={96} />
      {data && found.length === 0 ? (
        <EmptyState title={state === "waiting" ? "Nothing waits for approval" : "Nothing was decided yet"}>
          Acts that take two people, such as changing a role, wait here for the second one.
        </EmptyState>
      ) : null}
      <div className="proposals">
        {found.map((proposal) => (
          <ProposalCard key={proposal.id} proposal={proposal} />
        ))}
      </div>
    </Page>
  );
}
