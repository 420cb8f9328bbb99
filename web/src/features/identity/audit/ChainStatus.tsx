import { CheckCircleFilled, ClockCircleOutlined, WarningFilled } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Progress } from "antd";
import { count, counted } from "../../../shared/numbers";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { BlockSkeleton, FailureState, reasonOf } from "../../../shared/ui/states";
import { When } from "../../../shared/ui/values";
import { type AuditStatus, statusQuery, verify } from "./queries";

/** Whether the trail is whole: how far it is sealed, verified and signed, and what is wrong. */
export function ChainStatus() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { may } = useSession();
  const query = useQuery(statusQuery);
  const asking = useMutation({
    mutationFn: verify,
    onSuccess: () => client.invalidateQueries({ queryKey: statusQuery.queryKey }),
    onError: (error) => void message.error(reasonOf(error)),
  });
  if (query.error && !query.data) {
    return (
      <section className="part">
        <FailureState
          what="The state of the chain"
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      </section>
    );
  }
  if (!query.data) return <BlockSkeleton height={64} label="Loading the state of the chain" />;
  const status = query.data;
  const running = status.verification !== null && status.verification.finished_at === null;
  return (
    <section className="part chain" aria-label="The chain">
      <div className="chain-says">
        <Verdict status={status} />
        <p className="muted">
          {counted(status.sequence, "entry", "entries")} sealed
          {status.waiting > 0 ? `, ${count(status.waiting)} waiting for a seal` : ""}.{" "}
          {status.head ? (
            <>
              Head #{count(status.head.sequence)} signed <When at={status.head.signed_at} /> by key{" "}
              <code>{status.head.key_id}</code>.
            </>
          ) : (
            "No head is signed yet."
          )}
        </p>
      </div>
      {running && status.verification ? (
        <div className="chain-progress">
          <Progress
            aria-label="Verification"
            percent={Math.floor((100 * status.verification.checked) / Math.max(1, status.sequence))}
            size="small"
          />
          <p className="muted num">{count(status.verification.checked)} entries checked</p>
        </div>
      ) : null}
      {may(permission.verifyAudit) ? (
        <Button onClick={() => asking.mutate()} loading={asking.isPending || running}>
          {running ? "Verifying" : "Verify now"}
        </Button>
      ) : null}
    </section>
  );
}

function Verdict({ status }: { status: AuditStatus }) {
  const run = status.verified;
  if (!run) {
    return (
      <p className="chain-verdict">
        <ClockCircleOutlined aria-hidden /> The chain was not verified yet
      </p>
    );
  }
  if (run.findings.length === 0) {
    return (
      <p className="chain-verdict chain-good">
        <CheckCircleFilled aria-hidden /> Verified up to #{count(run.last_sequence)} as of{" "}
        {run.finished_at ? <When at={run.finished_at} /> : "now"}: nothing was changed
      </p>
    );
  }
  return (
    <div role="alert">
      <p className="chain-verdict chain-bad">
        <WarningFilled aria-hidden /> The chain is broken: {counted(run.findings.length, "finding")}
      </p>
      <ul className="chain-findings">
        {run.findings.slice(0, 10).map((finding) => (
          <li key={finding.says}>{finding.says}</li>
        ))}
      </ul>
      <p className="muted">Leave the database as it is, copy it, and call whoever looks after security.</p>
    </div>
  );
}
