import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { App, Button, Popconfirm } from "antd";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { contractWord } from "../../shared/contracts";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Overtaken } from "../../shared/ui/Overtaken";
import { Page } from "../../shared/ui/Page";
import { NotYet, reasonOf } from "../../shared/ui/states";
import { useDraft } from "../../shared/useDraft";
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
      {query.data ? <DraftEditor key={query.data.id} newest={query.data} /> : null}
    </Page>
  );
}

function DraftEditor({ newest }: { newest: ContractDraft }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const editing = useDraft({
    newest,
    fields: ({ text }) => ({ text }),
    version: ({ revision }) => revision,
  });
  const { held: draft, dirty } = editing;
  const { text } = editing.draft;
  const [busy, setBusy] = useState(false);
  // As it was seen when publishing was asked for.
  const [publishing, setPublishing] = useState<ContractDraft | null>(null);
  const settled = useSettled(text, 400);
  const { data: found, error } = useQuery({
    ...assessmentQuery(draft.contract, settled),
    placeholderData: (before) => before,
  });
  const writes = may(permission.writeContracts);
  const { queryKey } = draftQuery(draft.id);
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (failure) {
      // What somebody else made of it is shown beside what stands here, which says more than that they did.
      if (isProblem(failure, 409)) await client.invalidateQueries({ queryKey });
      const known = client.getQueryData(queryKey);
      if (dirty && known && known.revision !== draft.revision) return;
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
      const saved = await saveDraft(draft, text);
      editing.settle({ text }, saved);
      await keep(saved, "The draft is saved. Try it before you publish it.");
    });
  const discard = () =>
    act(async () => {
      await discardDraft(draft);
      await client.invalidateQueries({ queryKey: ["contracts"] });
      await navigate({ to: paths.contracts });
    });
  const tried = draft.trial?.state === "done" && !dirty;
  return (
    <>
      <Overtaken editing={editing} what="draft" says={({ text: Text }) => ({ Text })} />
      <div className="contracts-draft">
        <section aria-label="Text" className="contracts-text">
          <YamlEditor
            id={`${draft.id} ${editing.begun}`}
            text={text}
            judged={settled}
            line={found?.line ?? null}
            problem={found?.problem ?? ""}
            readOnly={!writes}
            onChange={(now) => editing.write({ text: now })}
          />
          {writes ? (
            <div className="contracts-actions">
              <Button
                type={dirty ? "primary" : "default"}
                disabled={!dirty || busy || found?.readable === false}
                onClick={() => void save()}
              >
                Save
              </Button>
              <Button
                disabled={dirty || busy || draft.trial?.state === "running"}
                onClick={() => void act(async () => keep(await tryDraft(draft), "The trial has begun."))}
              >
                Try it on last week's records
              </Button>
              <Button
                type={tried ? "primary" : "default"}
                disabled={!tried || busy || draft.problems.length > 0}
                onClick={() => setPublishing(draft)}
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
              {/* Where nothing is written yet, that it says the same is no mistake. */}
              {found.problems?.map((problem) => (
                <p key={problem} className={found.comparison?.changes.length === 0 ? "muted" : "problem"}>
                  {problem}
                </p>
              ))}
            </>
          ) : null}
          {draft.trial && !dirty ? <TrialResult trial={draft.trial} /> : null}
          {!draft.trial && !dirty ? (
            <p className="muted">It was not tried yet. A trial shows what it would have quarantined.</p>
          ) : null}
        </section>
        {publishing ? <PublishDialog draft={publishing} onClose={() => setPublishing(null)} /> : null}
      </div>
    </>
  );
}
