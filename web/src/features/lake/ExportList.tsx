import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Progress } from "antd";
import { count } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { EmptyState, NotYet, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { endExport, exportsQuery, isUnderWay, type LakeExport } from "./queries";
import { range, STATES, size } from "./words";

/** My exports: how far they are, and their files while they last. */
export function ExportList() {
  const query = useQuery(exportsQuery);
  let body = <NotYet query={query} what="Your exports" rows={2} height={44} />;
  if (query.data?.length === 0)
    body = (
      <EmptyState title="No exports yet">
        An export is a file of a table, masked as you see it. You are told when it is ready.
      </EmptyState>
    );
  else if (query.data)
    body = (
      <ul className="lake-list" aria-label="Exports">
        {query.data.map((one) => (
          <Row key={one.id} one={one} />
        ))}
      </ul>
    );
  return (
    <section className="part" aria-label="Your exports">
      <h2>
        Your exports <span className="muted">nobody else sees them</span>
      </h2>
      {body}
    </section>
  );
}

function Row({ one }: { one: LakeExport }) {
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const client = useQueryClient();
  const end = async () => {
    try {
      await endExport(one.id);
      await client.invalidateQueries({ queryKey: exportsQuery.queryKey });
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  const { word, tone } = STATES[one.state];
  return (
    <li className="lake-row">
      <code>{one.table}</code>
      <span className="muted">{range(one, timeZone)}</span>
      <Tag word={word} tone={tone} />
      <span className="lake-what">
        {one.state === "running" && one.rows_total ? (
          <Progress
            size="small"
            percent={Math.floor((100 * one.rows) / one.rows_total)}
            aria-label={`${count(one.rows)} of ${count(one.rows_total)} rows`}
          />
        ) : null}
        {one.state === "ready" ? (
          <span className="num">
            {count(one.rows)} rows, {size(one.bytes ?? 0)}, until <When at={one.expires_at ?? one.asked_at} />
          </span>
        ) : null}
        {one.problem}
      </span>
      <span className="push lake-buttons">
        {one.state === "ready" ? (
          <Button size="small" type="primary" href={`/api/v1/lake/exports/${one.id}/file`} download>
            Download
          </Button>
        ) : null}
        {one.state === "ready" || isUnderWay(one) ? (
          <Button size="small" onClick={() => void end()}>
            {isUnderWay(one) ? "Cancel" : "Delete"}
          </Button>
        ) : null}
        <When at={one.asked_at} />
      </span>
    </li>
  );
}
