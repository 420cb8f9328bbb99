import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input } from "antd";
import { useMemo, useState } from "react";
import { isProblem } from "../../api/problem";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { ConditionField, wordsOf } from "../../shared/ui/ConditionField";
import { Overtaken } from "../../shared/ui/Overtaken";
import { reasonOf } from "../../shared/ui/states";
import { useDraft } from "../../shared/useDraft";
import { useSettled } from "../../shared/useSettled";
import {
  assessmentQuery,
  changeSegment,
  makeSegment,
  preview,
  type SegmentDetail,
  type Size,
  vocabularyQuery,
  type Written,
} from "./queries";
import { shareText, sizeText } from "./sizes";

type Detail = SegmentDetail | undefined;
const textOf = (detail: Detail): Written => {
  const { name = "", description = "", condition = "" } = detail?.segment ?? {};
  return { name, description, condition };
};
const versionOf = (detail: Detail) => (detail ? `${detail.segment.id} ${detail.segment.version}` : "new");
const saysOf = (detail: Detail): Record<string, string> => {
  const { name, description, condition } = textOf(detail);
  const away = detail?.segment.archived ? "yes" : "no";
  return { Name: name, Description: description, Condition: condition, "Is put away": away };
};

interface EditorProps {
  detail: Detail;
  /** A new segment is there, under this name in addresses. */
  onMade(id: string): void;
}

/** What a segment says: read by all, written by who may. Without a segment a new one is written. */
export function SegmentEditor({ detail, onMade }: EditorProps) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const editing = useDraft({ newest: detail, fields: textOf, version: versionOf });
  const { draft: written, dirty, held, write } = editing;
  const segment = held?.segment;
  // What somebody else has put away is still written where the writer keeps to what they wrote.
  const writes = may(permission.writeSegments) && (dirty || !segment?.archived);
  const [counted, setCounted] = useState<{ condition: string; size: Size } | null>(null);
  const [busy, setBusy] = useState<"count" | "save" | null>(null);
  const [asked, setAsked] = useState(false);
  const condition = useSettled(written.condition, 300);
  const { data } = useQuery({ ...assessmentQuery(condition), placeholderData: (last) => last });
  const found = condition.trim() === "" ? undefined : data;
  const words = useWords();
  const usable = found?.usable === true && condition === written.condition;
  const unusable = found?.usable === false && condition === written.condition;
  const lacks = [
    written.name.trim() ? "" : "Give the segment a name.",
    written.condition.trim() ? "" : "Write who is in it.",
    unusable ? "The condition cannot be used as it stands: below it stands why." : "",
    dirty ? "" : "Nothing is changed yet.",
  ].find(Boolean);
  const act = async (what: "count" | "save", work: () => Promise<unknown>) => {
    setBusy(what);
    try {
      await work();
    } catch (error) {
      // What somebody else made of it is shown beside what stands here, which says more than that they did.
      if (isProblem(error, 409)) await client.invalidateQueries({ queryKey: ["segments", "one"] });
      const known = client.getQueryData<SegmentDetail>(["segments", "one", segment?.id]);
      if (known && segment && known.segment.version !== segment.version) return;
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(null);
    }
  };
  const count = () => act("count", async () => setCounted({ condition, size: await preview(condition) }));
  // Putting it away or taking it out changes no word of it: not of what somebody else made of it meanwhile either.
  const putAway = () => segment && keep(!segment.archived, textOf(held));
  const keep = (archived: boolean, text: Written) =>
    act("save", async () => {
      const kept = segment ? await changeSegment(segment, text, archived) : await makeSegment(text);
      if (text === written) editing.settle(written, kept);
      else editing.take();
      client.setQueryData(["segments", "one", kept.segment.id], kept);
      void client.invalidateQueries({ queryKey: ["segments", "list"] });
      message.success(archived ? "The segment is archived." : "The segment is saved, and is being counted.");
      if (!segment) onMade(kept.segment.id);
    });
  return (
    <>
      <Overtaken editing={editing} what="segment" says={saysOf} />
      {writes ? (
        <>
          <label className="segments-field" htmlFor="segment-name">
            Name
            <Input
              id="segment-name"
              value={written.name}
              maxLength={120}
              placeholder="Young savers"
              onChange={(event) => write({ name: event.target.value })}
            />
          </label>
          <label className="segments-field" htmlFor="segment-description">
            Description
            <Input.TextArea
              id="segment-description"
              value={written.description}
              rows={2}
              maxLength={1000}
              placeholder="What the group is for"
              onChange={(event) => write({ description: event.target.value })}
            />
          </label>
        </>
      ) : segment?.description ? (
        <p>{segment.description}</p>
      ) : null}
      <ConditionField
        id={`condition ${editing.begun}`}
        text={written.condition}
        hint="age between 25 and 40 and income_thousands > 20"
        words={words}
        found={found}
        says="Everybody of whom"
        empty={condition.trim() === "" ? "Write who is in it. Columns are offered as you type." : undefined}
        readOnly={!writes}
        onChange={(condition) => write({ condition })}
        height={130}
      />
      {counted && counted.condition === written.condition ? (
        <p role="status" className="segments-counted">
          <strong className="num">{sizeText(counted.size)}</strong> {shareText(counted.size)} now
        </p>
      ) : null}
      {asked && lacks ? (
        <p role="alert" className="problem">
          {lacks}
        </p>
      ) : null}
      {may(permission.writeSegments) ? (
        <div className="segments-acts">
          {writes ? (
            <>
              <Button
                type="primary"
                disabled={busy !== null}
                loading={busy === "save"}
                onClick={() => {
                  setAsked(Boolean(lacks));
                  if (!lacks) void keep(false, written);
                }}
              >
                Save
              </Button>
              <Button
                disabled={!usable || busy !== null}
                loading={busy === "count"}
                onClick={() => void count()}
              >
                Count
              </Button>
            </>
          ) : null}
          {segment ? (
            <Button type="text" disabled={busy !== null} onClick={() => void putAway()}>
              {segment.archived ? "Take it out again" : "Archive"}
            </Button>
          ) : null}
        </div>
      ) : null}
    </>
  );
}

function useWords() {
  const { data } = useQuery(vocabularyQuery);
  return useMemo(() => wordsOf(data?.columns, data?.functions), [data]);
}
