import { App, Form, Input, Radio } from "antd";
import type { ReactNode } from "react";
import { saveFile } from "../csv";
import { EXPORT_WAITS } from "./exportWaits";
import { FormDialog } from "./FormDialog";

interface FileDialogProps<Format extends string> {
  title: string;
  /** The file's name without its ending, which is the format. */
  name: string;
  formats: readonly { value: Format; label: string }[];
  /** What the file will hold, in a sentence. */
  children?: ReactNode;
  take(format: Format, reason: string): Promise<Blob>;
  onClose(): void;
}

/** Asks for rows as a file; so many that a second person has to agree wait under Approvals. */
export function FileDialog<Format extends string>({
  title,
  name,
  formats,
  children,
  take,
  onClose,
}: FileDialogProps<Format>) {
  const { message } = App.useApp();
  const submit = async ({ format, reason }: { format?: Format; reason?: string }) => {
    const chosen = format ?? formats[0]?.value;
    if (chosen === undefined) return;
    const file = await take(chosen, reason ?? "");
    // What waits is told as JSON; no rows leave in that form.
    if (file.type.startsWith("application/json")) {
      message.info(EXPORT_WAITS, 10);
    } else {
      saveFile(`${name}.${chosen}`, file);
      message.success("The file is in your downloads.");
    }
  };
  return (
    <FormDialog
      title={title}
      okText="Export"
      width={480}
      initialValues={{ format: formats[0]?.value }}
      onSubmit={submit}
      onClose={onClose}
    >
      {children ? <Form.Item>{children}</Form.Item> : null}
      {formats.length > 1 ? (
        <Form.Item name="format" label="Kind of file">
          <Radio.Group options={[...formats]} />
        </Form.Item>
      ) : null}
      <Form.Item name="reason" label="Why (for whoever approves a large export)">
        <Input maxLength={1000} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}

/** Rows for spreadsheets only. */
export const CSV_ONLY = [{ value: "csv", label: "CSV (for spreadsheets)" }] as const;
