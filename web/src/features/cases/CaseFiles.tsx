import { DeleteOutlined, DownloadOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Popconfirm } from "antd";
import { useRef } from "react";
import { ApiProblem } from "../../api/problem";
import { saveFile } from "../../shared/csv";
import { measure } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { When } from "../../shared/ui/values";
import { attach, type CaseDocument, detach, fetchFile } from "./queries";
import { useAct } from "./useAct";

const KINDS = "application/pdf,image/png,image/jpeg,text/csv,text/plain";
const BYTES_MAX = 5 * 2 ** 20;

/** The files of a case. */
export function CaseFiles({ found }: { found: CaseDocument }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  const input = useRef<HTMLInputElement>(null);
  const changes = found.closed_at === null && may(permission.workCases);
  const add = async (file: File) => {
    await act(
      async () => {
        if (file.size > BYTES_MAX) throw tooLarge(file);
        return attach(found.id, { name: file.name, media_type: file.type, content: await base64(file) });
      },
      (kept) => `${kept.name} is kept.`,
    );
  };
  return (
    <section aria-label="Files">
      <h2>Files</h2>
      {changes ? (
        <>
          <Button icon={<UploadOutlined aria-hidden />} loading={busy} onClick={() => input.current?.click()}>
            Add a file
          </Button>
          <p className="muted">PDF, PNG, JPEG, CSV or text, up to 5 MB. Kept sealed.</p>
          <input
            ref={input}
            type="file"
            hidden
            accept={KINDS}
            aria-label="File to keep"
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              event.target.value = "";
              if (file) void add(file);
            }}
          />
        </>
      ) : null}
      <ul className="case-files">
        {found.attachments.map((one) => (
          <li key={one.id}>
            <span className="cut" title={one.name}>
              {one.name}
            </span>
            <span className="muted num nowrap">
              {measure(Math.ceil(one.size / 1024))} KB, {one.added_by}, <When at={one.added_at} />
            </span>
            <Button
              type="text"
              size="small"
              icon={<DownloadOutlined aria-hidden />}
              aria-label={`Save ${one.name}`}
              onClick={() => void act(async () => saveFile(one.name, await fetchFile(found.id, one.id)))}
            />
            {changes ? (
              <Popconfirm
                title="Delete this file for good?"
                okText="Delete"
                onConfirm={() =>
                  act(
                    () => detach(found.id, one.id),
                    () => `${one.name} is deleted.`,
                  )
                }
              >
                <Button
                  type="text"
                  size="small"
                  icon={<DeleteOutlined aria-hidden />}
                  aria-label={`Delete ${one.name}`}
                />
              </Popconfirm>
            ) : null}
          </li>
        ))}
      </ul>
      {found.attachments.length === 0 && !changes ? <p className="muted">None.</p> : null}
    </section>
  );
}

function tooLarge(file: File): ApiProblem {
  const megabytes = measure(Math.ceil((file.size / 2 ** 20) * 10) / 10);
  const why = `${file.name} has ${megabytes} MB, and a case keeps files of up to 5 MB. Add a smaller one.`;
  return new ApiProblem(413, "The file is too large", why);
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  // In parts: a call has no room for millions of arguments.
  for (let at = 0; at < bytes.length; at += 32_768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}
