import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { type ReactNode, useState } from "react";
import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { Loaded } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { type Comparison, hitQuery, judge, type Said, SCREENING } from "./queries";
import { STATES, score } from "./words";

/** Both records of a hit side by side, what speaks for and against, and what a person says of it. */
export function HitDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  const query = useQuery({ ...hitQuery(id ?? ""), enabled: id !== undefined });
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={820} title="Is this the same?">
      <Loaded query={query} what="The comparison" rows={6} height={36}>
        {(one) => <Compared key={one.hit.id} one={one} onClose={onClose} />}
      </Loaded>
    </SideDrawer>
  );
}

function Compared({ one, onClose }: { one: Comparison; onClose(): void }) {
  const { hit, subject, entry } = one;
  const rows: [string, readonly string[], readonly string[]][] = [
    ["Names", subject.names, entry.names],
    ["Born", subject.birth_dates, entry.birth_dates],
    ["Countries", subject.countries, entry.countries],
    ["Documents", subject.identifiers, entry.identifiers],
    ["Gender", subject.genders, entry.genders],
    ["Type", [subject.type], [entry.type]],
  ];
  return (
    <div className="screening-compared">
      <p>
        <strong className="num screening-score">{score(hit.score)}</strong> <Tag {...STATES[hit.state]} />{" "}
        <span className="muted">
          {hit.kind} {one.reference} on {hit.list}
          {one.programme ? `: ${one.programme}` : ""}
        </span>
      </p>
      {hit.again ? <p className="muted">{hit.again}</p> : null}
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col" aria-label="Field" />
              <th scope="col">{hit.kind === "payee" ? "Payee" : "Customer"}</th>
              <th scope="col">On the list</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, mine, theirs]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{values(mine)}</td>
                <td>{values(theirs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <h3>What counts</h3>
      <ul className="screening-features">
        {one.features.map((each) => (
          <li key={each.name} className={each.weight < 0 && each.score > 0 ? "screening-against" : undefined}>
            <span>{each.name}</span>
            <span className="num">{effect(each)}</span>
            <span className="muted">
              {each.subject} / {each.entry}
            </span>
          </li>
        ))}
      </ul>
      {one.judgements.length > 0 ? (
        <>
          <h3>Said before</h3>
          <ul className="screening-said">
            {one.judgements.map((said) => (
              <li key={said.at}>
                <Tag {...STATES[said.state]} /> {said.reason}
                <span className="muted screening-under">
                  {said.by || "somebody"}
                  {said.approved_by ? ` and ${said.approved_by}` : ""}, <When at={said.at} />
                </span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {hit.state === "waiting" || hit.state === "gone" ? null : <Acts one={one} onClose={onClose} />}
    </div>
  );
}

function Acts({ one, onClose }: { one: Comparison; onClose(): void }) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [saying, setSaying] = useState<Said | null>(null);
  const say = async (reason: string) => {
    if (!saying) return;
    const done = await judge(one.hit, saying, reason);
    await client.invalidateQueries({ queryKey: [SCREENING, "hits"] });
    message.success(done.proposal ? "A second person is asked, on the page Approvals." : "It is noted.");
    onClose();
  };
  return (
    <div className="screening-acts">
      <Button danger onClick={() => setSaying("match")}>
        Match …
      </Button>
      <Button onClick={() => setSaying("unsure")}>Unsure …</Button>
      <Button type="primary" onClick={() => setSaying("no_match")}>
        {one.needs_two ? "Propose no match …" : "No match …"}
      </Button>
      {saying ? (
        <ReasonDialog
          title={STATES[saying].word}
          text={
            saying === "no_match" && one.needs_two
              ? "The score is high, so a second person has to agree."
              : "The pair is not asked again unless one of the two records changes."
          }
          okText={saying === "no_match" && one.needs_two ? "Propose" : "Say so"}
          danger={saying === "match"}
          onClose={() => setSaying(null)}
          onReason={say}
        />
      ) : null}
    </div>
  );
}

function values(found: readonly string[]): ReactNode {
  if (found.length === 0) return <span className="muted">not known</span>;
  return found.map((each) => (
    <span key={each} className="screening-value">
      {each}
    </span>
  ));
}

function effect(each: Comparison["features"][number]): string {
  const effected = each.score * each.weight;
  if (each.weight < 0) return effected === 0 ? "agrees" : `−${Math.abs(effected).toFixed(2)}`;
  return effected.toFixed(2);
}
