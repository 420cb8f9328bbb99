import { TeamOutlined, WarningFilled } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Button, Checkbox, Input } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { When } from "../../shared/ui/values";
import { useFailure } from "../../shared/useFailure";
import { type Segment, segmentsQuery, uncounted } from "./queries";
import { percentText, shareText, sizeText } from "./sizes";
import "./segments.css";

/** The firm's groups of customers, and how many are in each. */
export function SegmentsPage() {
  const { may } = useSession();
  const navigate = useNavigate();
  const [wanted, setWanted] = useState("");
  const [archived, setArchived] = useState(false);
  const asked = segmentsQuery(archived);
  const query = useQuery(asked);
  const failure = useFailure(query, asked.queryKey);
  const text = wanted.trim().toLowerCase();
  const found = query.data?.filter((one) =>
    `${one.name} ${one.description} ${one.owner_name}`.toLowerCase().includes(text),
  );
  const make = may(permission.writeSegments) ? (
    <Button type="primary" onClick={() => void navigate({ to: paths.segment, params: { id: "new" } })}>
      New segment
    </Button>
  ) : null;
  return (
    <Page title="Segments" aside={query.data?.length ? make : null}>
      <div className="segments-bar">
        <Input.Search
          aria-label="Find a segment"
          placeholder="Name, description or owner"
          allowClear
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <Checkbox checked={archived} onChange={(event) => setArchived(event.target.checked)}>
          Archived ones
        </Checkbox>
      </div>
      {failure ? (
        <FailureState what="The segments" error={failure} onRetry={() => void query.refetch()} />
      ) : null}
      {!failure && !found ? <RowsSkeleton rows={5} height={52} label="Loading the segments" /> : null}
      {found && found.length > 0 ? <SegmentTable segments={found} /> : null}
      {found?.length === 0 && text ? (
        <EmptyState title="No segment fits">Segments are found by name, description and owner.</EmptyState>
      ) : null}
      {found?.length === 0 && !text ? (
        archived ? (
          <EmptyState title="Nothing is archived">
            A segment that nobody needs any more is put away here.
          </EmptyState>
        ) : (
          <EmptyState title="No segments yet" action={make}>
            A segment is a group of customers by a condition, such as who lives in one city and is below 30.
            It is counted every day.
            {make ? null : " Customer managers and marketing managers of your firm make one here."}
          </EmptyState>
        )
      ) : null}
    </Page>
  );
}

function SegmentTable({ segments }: { segments: readonly Segment[] }) {
  return (
    <TableBox className="segments-box">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Segment</th>
            <th scope="col" className="right">
              People
            </th>
            <th scope="col" className="right">
              Share
            </th>
            <th scope="col">Counted</th>
            <th scope="col">Owner</th>
          </tr>
        </thead>
        <tbody>
          {segments.map((one) => (
            <Row key={one.id} segment={one} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ segment: one }: { segment: Segment }) {
  const { size } = one;
  return (
    <tr>
      <th scope="row">
        <Link to={paths.segment} params={{ id: one.id }}>
          {one.name}
        </Link>
        {one.description ? <span className="muted segments-note">{one.description}</span> : null}
        {one.problem ? (
          <span className="segments-problem segments-note">
            <WarningFilled aria-hidden /> {one.problem}
          </span>
        ) : null}
      </th>
      <td className="right num">
        {uncounted(one) ? (
          <span className="muted">being counted</span>
        ) : size ? (
          <People text={sizeText(size)} />
        ) : (
          "–"
        )}
      </td>
      <td className="right num" title={size ? shareText(size) : undefined}>
        {size && !uncounted(one) ? percentText(size) : "–"}
      </td>
      <td>{size && !uncounted(one) ? <When at={size.counted_at} /> : "–"}</td>
      <td>{one.owner_name}</td>
    </tr>
  );
}

function People({ text }: { text: string }) {
  return (
    <>
      <TeamOutlined aria-hidden className="muted" /> {text}
    </>
  );
}
