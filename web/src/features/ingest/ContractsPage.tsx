import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Input } from "antd";
import { useState } from "react";
import { contractWord } from "../../shared/contracts";
import { count, measure } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { NewContract } from "./NewContract";
import { type ContractSummary, contractsQuery } from "./queries";
import "./contracts.css";
import { TableBox } from "../../shared/ui/TableBox";

/** What records of each kind are held to, who answers for it, and how many keep it. */
export function ContractsPage() {
  const { may } = useSession();
  const query = useQuery(contractsQuery);
  const { data } = query;
  const [wanted, setWanted] = useState("");
  const text = wanted.trim().toLowerCase();
  const found = data?.filter((one) =>
    `${one.name} ${contractWord(one.name)} ${one.owner} ${one.description}`.toLowerCase().includes(text),
  );
  return (
    <Page title="Contracts">
      <div className="contracts-bar">
        <Input.Search
          aria-label="Find a contract"
          placeholder="Name, owner or purpose"
          allowClear
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {may(permission.writeContracts) ? <NewContract /> : null}
      </div>
      {found && found.length > 0 ? null : (
        <div className="part">
          <NotYet query={query} what="The contracts" rows={8} height={44} />
          {found ? (
            <EmptyState title="No contract fits">Contracts are found by name, owner and purpose.</EmptyState>
          ) : null}
        </div>
      )}
      {found && found.length > 0 ? <ContractTable contracts={found} /> : null}
    </Page>
  );
}

function ContractTable({ contracts }: { contracts: readonly ContractSummary[] }) {
  return (
    <TableBox className="part">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Contract</th>
            <th scope="col">Version</th>
            <th scope="col">Owner</th>
            <th scope="col" className="right">
              Records in 24 h
            </th>
            <th scope="col" className="right">
              Quarantined
            </th>
            <th scope="col" className="right">
              Last record
            </th>
            <th scope="col">What it is for</th>
          </tr>
        </thead>
        <tbody>
          {contracts.map((one) => (
            <Row key={one.name} contract={one} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ contract: one }: { contract: ContractSummary }) {
  return (
    <tr>
      <th scope="row">
        <Link to={paths.contract} params={{ contract: one.name }}>
          {contractWord(one.name)}
        </Link>
        <code className="contracts-id">{one.name}</code>
      </th>
      <td>
        <span className="num">{one.version}</span>{" "}
        {one.in_force ? null : <Tag word="Draft only" tone="review" />}
        {one.in_force && one.drafts > 0 ? <Tag word={`${one.drafts} in draft`} tone="quiet" /> : null}
      </td>
      <td>{one.owner || "–"}</td>
      <td className="right num">{count(one.received)}</td>
      <td className="right num">
        {one.quarantined_share === null ? "–" : `${measure(one.quarantined_share * 100)} %`}
      </td>
      <td className="right">{one.last_event_at ? <When at={one.last_event_at} /> : "–"}</td>
      <td className="contracts-purpose cell-text" title={one.description}>
        {one.description}
      </td>
    </tr>
  );
}
