import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { Due } from "./Due";
import { NewRequestDialog } from "./NewRequestDialog";
import { requestsQuery, type SubjectRequest } from "./queries";
import { RequestDrawer } from "./RequestDrawer";
import { HOLDS, KINDS, LAWS, STATES } from "./words";

const columns: readonly Column<SubjectRequest>[] = [
  { key: "due", title: "Time left", width: "110px", render: (one) => <Left request={one} /> },
  { key: "kind", title: "Asks to", width: "minmax(140px, 1fr)", render: (one) => KINDS[one.kind] },
  { key: "subject", title: "Person", width: "minmax(140px, 1.2fr)", render: (one) => one.subject },
  { key: "law", title: "Law", width: "130px", from: 900, render: (one) => LAWS[one.law] },
  { key: "at", title: "Received", width: "120px", from: 760, render: (one) => <When at={one.received_at} /> },
  { key: "state", title: "State", width: "160px", render: (one) => <Tag {...STATES[one.state]} /> },
  {
    key: "held",
    title: "Hold",
    width: "140px",
    from: 1000,
    render: (one) => (one.held ? <Tag word={HOLDS[one.held] ?? one.held} tone="block" /> : ""),
  },
];

/** What people asked, the most urgent first. */
export function RequestList() {
  const query = useQuery(requestsQuery);
  const { may } = useSession();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const open = typeof search.request === "string" ? search.request : undefined;
  const [adding, setAdding] = useState(false);
  const show = (id: string | undefined) =>
    void navigate({ to: paths.privacy, search: id ? { request: id } : {}, resetScroll: false });
  const add = may(permission.writePrivacy) ? (
    <Button type="primary" onClick={() => setAdding(true)}>
      New request
    </Button>
  ) : null;

  let body = <NotYet query={query} what="The requests" rows={6} height={36} />;
  if (query.data?.length === 0) {
    body = (
      <EmptyState title="No requests yet" action={add}>
        When a person asks to see, correct or erase what is kept of them, it is worked on here, within the
        time that the law gives.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <div className="records-grid">
        <DataGrid
          label="Subject requests"
          columns={columns}
          rows={query.data}
          keyOf={(one: SubjectRequest) => one.id}
          rowHeight={38}
          cardsBelow={560}
          cardHeight={68}
          card={(one) => <Card request={one} />}
          cursor={open ?? null}
          onCursor={() => undefined}
          onOpen={(one) => show(one.id)}
        />
      </div>
    );
  }
  return (
    <>
      {query.data?.length ? <div className="filters">{add}</div> : null}
      {body}
      <RequestDrawer id={open} onClose={() => show(undefined)} />
      {adding ? <NewRequestDialog onClose={() => setAdding(false)} onMade={show} /> : null}
    </>
  );
}

function Left({ request }: { request: SubjectRequest }) {
  return request.closed_at ? <span className="muted">closed</span> : <Due at={request.due_at} />;
}

function Card({ request }: { request: SubjectRequest }) {
  return (
    <>
      <div className="card-line">
        <strong>{KINDS[request.kind]}</strong>
        <span className="push">
          <Left request={request} />
        </span>
      </div>
      <p className="card-why">
        {request.subject} · {STATES[request.state].word}
      </p>
    </>
  );
}
