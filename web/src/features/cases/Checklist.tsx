import { Checkbox } from "antd";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { When } from "../../shared/ui/values";
import { type CaseDocument, tick } from "./queries";
import { useAct } from "./useAct";

/** The steps of the investigation. */
export function Checklist({ found }: { found: CaseDocument }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  const done = found.checklist.filter((step) => step.done_at !== null).length;
  const locked = busy || found.closed_at !== null || !may(permission.workCases);
  return (
    <section aria-label="Checklist">
      <h2>
        Checklist{" "}
        <span className="muted num">
          {done} of {found.checklist.length}
        </span>
      </h2>
      <ul className="case-steps">
        {found.checklist.map((step) => (
          <li key={step.id}>
            <Checkbox
              checked={step.done_at !== null}
              disabled={locked}
              onChange={(event) => void act(() => tick(found.id, step.id, event.target.checked))}
            >
              {step.text}
            </Checkbox>
            {step.done_at ? (
              <span className="muted case-step-by">
                {step.done_by}, <When at={step.done_at} />
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
