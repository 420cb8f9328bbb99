import { useQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { WhyVisible } from "../../shared/ui/WhyVisible";
import { analystsQuery, assign, type CaseDocument } from "./queries";
import { useAct } from "./useAct";

/** Who works on the case, and giving it to somebody else. */
export function Owner({ found }: { found: CaseDocument }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  const gives = found.closed_at === null && may(permission.workCases);
  const { data } = useQuery({ ...analystsQuery, enabled: gives });
  const give = (to: string | null) =>
    void act(
      () => assign(found, to),
      (now) => (now.assignee ? `It is with ${now.assignee}.` : "It is back in the queue."),
    );
  return (
    <section aria-label="Who works on it">
      <h2>With</h2>
      <div className="case-owner">
        {gives ? (
          <>
            <Select
              aria-label="Give the case to"
              className="case-owner-select"
              placeholder="Nobody yet"
              value={found.assignee_id ?? undefined}
              disabled={busy}
              onChange={give}
              options={(data ?? []).map((one) => ({
                value: one.id,
                label: `${one.name} (${one.open_cases})`,
              }))}
            />
            {found.assignee_id ? (
              <Button type="text" onClick={() => give(null)} disabled={busy}>
                Back to the queue
              </Button>
            ) : null}
          </>
        ) : (
          <span>{found.assignee ?? "nobody"}</span>
        )}
        <WhyVisible needs={permission.readCases} what="cases" />
      </div>
    </section>
  );
}
