import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, InputNumber } from "antd";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { NotYet, reasonOf } from "../../shared/ui/states";
import { type RetentionRule, retentionQuery } from "./queries";

/** How long things are kept, and what the next nightly run lets go of. A hold goes before every term. */
export function RetentionTable() {
  const query = useQuery(retentionQuery);
  if (!query.data) return <NotYet query={query} what="The terms" rows={4} height={44} />;
  return (
    <ul className="privacy-list" aria-label="Terms of retention">
      {query.data.map((rule) => (
        <Row key={rule.what} rule={rule} />
      ))}
    </ul>
  );
}

function Row({ rule }: { rule: RetentionRule }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [days, setDays] = useState(rule.days);
  const save = async () => {
    try {
      const params = { path: { what: rule.what } };
      const report = await answer(api.PUT("/api/v1/privacy/retention/{what}", { params, body: { days } }));
      client.setQueryData(retentionQuery.queryKey, report.rules);
      message.success("The next run, tonight, goes by this term.");
    } catch (error) {
      message.error(reasonOf(error));
    }
  };
  return (
    <li className="privacy-row">
      <span className="privacy-law">{rule.describes}</span>
      {may(permission.approvePrivacy) ? (
        <span className="privacy-buttons">
          <InputNumber
            aria-label={`Days for ${rule.what}`}
            min={1}
            max={36_500}
            value={days}
            suffix="days"
            onChange={(value) => setDays(value ?? rule.days)}
          />
          <Button disabled={days === rule.days} onClick={() => void save()}>
            Save
          </Button>
        </span>
      ) : (
        <span className="num">{count(rule.days)} days</span>
      )}
      <span className="muted push num">{count(rule.due)} past their time now</span>
    </li>
  );
}
