import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { App, Button, Popconfirm } from "antd";
import { useEffect, useState } from "react";
import { isProblem } from "../../api/problem";
import { contractWord } from "../../shared/contracts";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { type Editing, Overtaken } from "../../shared/ui/Overtaken";
import { Page } from "../../shared/ui/Page";
import { NotYet, reasonOf } from "../../shared/ui/states";
import { useSettled } from "../../shared/useSettled";
import { Changes } from "./Changes";
import { PublishDialog } from "./PublishDialog";
import {
  assessmentQuery,
  type ContractDraft,
  discardDraft,
  draftQuery,
  saveDraft,
  tryDraft,
} from "./queries";
import { TrialResult } from "./TrialResult";
import { YamlEditor } from "./YamlEditor";
import "./contracts.css";

/** A version on its way: its text, what it changes, its trial, and the wish to publish it. */
export function DraftPage() {
  const { draft } = useParams({ strict: false }) as { draft: string };
  const query = useQuery(draftQuery(draft));
  const title = query.data ? `${contractWord(query.data.contract)}, a draft` : "Draft";
  return (
    <Page
      title={title}
      aside={
        query.data ? (
          <Link to={paths.contract} params={{ contract: query.data.contract }}>
            The contract
          </Link>
        ) : null
      }
    >
      <NotYet query={query} what="The draft" rows={12} height={28} />
      {query.data ? (
        <Overtaken
          key={query.data.id}
          newest={query.data}
          version={(of) => String(of.revision)}
          what="draft"
          says={({ text }) => ({ Text: text })}
        >
          {(editing) => <DraftEditor {...editing} />}
        </Overtaken>
      ) : null}
    </Page>
  );
}

function DraftEditor({ held: draft, over, onWriting, onSaved }: Editing<ContractDraft>) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState(draft.text);
  const [busy, setBusy] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const settled = useSettled(text, 400);
  const { data: found, error } = useQuery({
    ...assessmentQuery(draft.contract, settled),
    placeholderData: (before) => before,
  });
  const writes = may(permission.writeContracts);
  const changed = text !== draft.text;
  useEffect(() => onWriting(changed), [changed, onWriting]);
  const { queryKey } = draftQuery(draft.id);
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (failure) {
      // What somebody else made of it is shown beside what stands here, which says more than that they did.
      if (isProblem(failure, 409)) await client.invalidateQueries({ queryKey });
      const known = client.getQueryData(queryKey);
      if (changed && known && known.revision !== over.revision) return;
      message.error(reasonOf(failure), 8);
    } finally {
      setBusy(false);
    }
  };
  const keep = async (kept: ContractDraft, done: string) => {
    client.setQueryData(queryKey, kept);
    await client.invalidateQueries({ queryKey: ["contracts"] });
    message.success(done);
  };
  const save = () =>
    act(async () => {
      const saved = await saveDraft(over, text);
      setText((now) => (now === text ? saved.text : now));
      onSaved(saved);
      await keep(saved, "The draft is saved. Try it before you publish it.");
    });
  const discard = () =>
    act(async () => {
      await discardDraft(over);
      await client.invalidateQueries({ queryKey: ["contracts"] });
      await navigate({ to: paths.contracts });
    });
  const tried = draft.trial?.state === "done" && !changed;
  return (
    <div className="contracts-draft">
      <section aria-label="Text" className="contracts-text">
        <YamlEditor
          id={draft.id}
          text={draft.text}
          judged={settled}
          line={found?.line ?? null}
          problem={found?.problem ?? ""}
          readOnly={!writes}
          onChange={setText}
        />
        {writes ? (
          <div className="contracts-actions">
            <Button
              type={changed ? "primary" : "default"}
              disabled={!changed || busy || found?.readable === false}
              onClick={() => void save()}
            >
              Save
            </Button>
            <Button
              disabled={changed || busy || draft.trial?.state === "running"}
              onClick={() => void act(async () => keep(await tryDraft(draft), "The trial has begun."))}
            >
              Try it on last week's records
            </Button>
            <Button
              type={tried ? "primary" : "default"}
              disabled={!tried || busy || draft.problems.length > 0}
              onClick={() => setPublishing(true)}
            >
              Publish …
            </Button>
            <Popconfirm title="Discard this draft?" okText="Discard" onConfirm={() => void discard()}>
              <Button danger type="text">
                Discard
              </Button>
            </Popconfirm>
          </div>
        ) : null}
      </section>
      <section aria-label="What it changes" className="contracts-findings">
        {error ? <p role="alert">{reasonOf(error)}</p> : null}
        {found && !found.readable ? (
          <p role="alert" className="problem">
            {found.line ? `Line ${found.line}: ` : ""}
            {found.problem}
          </p>
        ) : null}
        {found?.readable ? (
          <>
            <h2>
              Version <span className="num">{found.version}</span>
            </h2>
            {found.comparison ? (
              <Changes
                comparison={found.comparison}
                impactOn={may(permission.readLineage) ? draft.contract : undefined}
              />
            ) : (
              <p className="muted">It is a new kind of record: nothing is held to it yet.</p>
            )}
            {found.problems?.map((problem) => (
              <p key={problem} className="problem">
                {problem}
              </p>
            ))}
          </>
        ) : null}
        {draft.trial && !changed ? <TrialResult trial={draft.trial} /> : null}
        {!draft.trial && !changed ? (
          <p className="muted">It was not tried yet. A trial shows what it would have quarantined.</p>
        ) : null}
      </section>
      {publishing ? <PublishDialog draft={draft} onClose={() => setPublishing(false)} /> : null}
    </div>
  );
}
