import { counted } from "../../shared/numbers";
import type { Column } from "../../shared/ui/grid";
import { When } from "../../shared/ui/values";
import { Worth } from "../../shared/ui/Worth";
import type { Case } from "./filter";
import { CaseStateTag, Due, PriorityTag, TYPOLOGIES } from "./words";

export const columns: readonly Column<Case>[] = [
  {
    key: "number",
    title: "Case",
    width: "76px",
    render: (each) => <span className="num">#{each.number}</span>,
  },
  {
    key: "priority",
    title: "Priority",
    width: "104px",
    render: (each) => <PriorityTag priority={each.priority} />,
  },
  { key: "due", title: "Due", width: "112px", render: (each) => <Due of={each} /> },
  {
    key: "loss",
    title: "Expected loss",
    width: "120px",
    align: "right",
    render: (each) => <Worth usd={each.expected_loss_usd} />,
  },
  {
    key: "typology",
    title: "Kind",
    width: "minmax(130px, 1fr)",
    from: 720,
    render: (each) => TYPOLOGIES[each.typology],
  },
  {
    key: "subject",
    title: "Customer",
    width: "minmax(110px, 1fr)",
    from: 830,
    render: (each) => <span className="cut">{each.subject ?? "–"}</span>,
  },
  {
    key: "alerts",
    title: "Alerts",
    width: "96px",
    from: 1040,
    render: (each) => (
      <span className="num">
        {each.open_alerts} <span className="muted">of {each.alerts}</span>
      </span>
    ),
  },
  {
    key: "last",
    title: "Last payment",
    width: "132px",
    from: 1170,
    render: (each) => <When at={each.last_alert_at} />,
  },
  { key: "state", title: "State", width: "120px", render: (each) => <CaseStateTag of={each} /> },
  {
    key: "who",
    title: "With",
    width: "minmax(110px, 1fr)",
    from: 940,
    render: (each) =>
      each.assignee ? <span className="cut">{each.assignee}</span> : <span className="muted">nobody</span>,
  },
];

/** A case on a phone. */
export function CaseCard({ of }: { of: Case }) {
  return (
    <>
      <div className="card-line">
        <span className="num">#{of.number}</span>
        <PriorityTag priority={of.priority} />
        <CaseStateTag of={of} />
        <span className="push">
          <Worth usd={of.expected_loss_usd} />
        </span>
      </div>
      <div className="card-line muted">
        <span className="cut">
          {TYPOLOGIES[of.typology]}, {counted(of.open_alerts, "open alert")}
        </span>
        <span className="push">
          <Due of={of} />
        </span>
      </div>
      <p className="card-why">
        {of.subject ?? "–"} <span className="muted">with {of.assignee ?? "nobody"}</span>
      </p>
    </>
  );
}
