import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, Radio, Select } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { type SavedBody, save, savedQuery } from "./queries";
import type { Sheet } from "./sheets";

interface SaveDialogProps {
  sheet: Sheet;
  onClose(): void;
  onSaved(fields: Partial<Sheet>): void;
}

type Fields = Pick<SavedBody, "name" | "description" | "folder" | "tags" | "sharing" | "team">;

/** Keep a query: new, a copy, or the next version of one's own. */
export function SaveDialog({ sheet, onClose, onSaved }: SaveDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { data } = useQuery(savedQuery);
  const [form] = Form.useForm<Fields>();
  const known = data?.items.find((one) => one.id === sheet.saved?.id);
  const mine = known?.mine === true;
  const sharing = Form.useWatch("sharing", form);
  const folders = [...new Set((data?.items ?? []).map((one) => one.folder).filter(Boolean))];
  const submit = async (fields: Fields) => {
    const parameters = sheet.parameters.map((one) => ({ ...one, default: sheet.values[one.name] ?? null }));
    const body: SavedBody = {
      ...fields,
      team: fields.sharing === "team" ? fields.team : null,
      statement: sheet.statement,
      parameters,
      chart: sheet.chart,
      version: mine ? (sheet.saved?.version ?? 0) : 0,
    };
    const saved = await save(body, mine ? known.id : undefined);
    await client.invalidateQueries({ queryKey: ["sql", "saved"] });
    onSaved({ title: saved.name, saved: { id: saved.id, version: saved.version, mine: true }, parameters });
    message.success(saved.version > 1 ? `Version ${saved.version} is saved.` : "The query is saved.");
  };
  return (
    <FormDialog
      title={
        mine ? `Save version ${(sheet.saved?.version ?? 0) + 1}` : known ? "Save a copy" : "Save the query"
      }
      okText="Save"
      initialValues={{
        name: known?.name ?? sheet.title,
        description: known?.description ?? "",
        folder: known?.folder ?? "",
        tags: known?.tags ?? [],
        sharing: mine ? known.sharing : "own",
        team: known?.team,
      }}
      form={form}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Give it a name." }]}
      >
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <Form.Item name="description" label="What it answers">
        <Input.TextArea rows={2} maxLength={2000} />
      </Form.Item>
      <Form.Item
        name="folder"
        label="Folder"
        extra={folders.length > 0 ? `There are: ${folders.join(", ")}` : "Such as Sales/Europe"}
      >
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <Form.Item name="tags" label="Tags">
        <Select mode="tags" open={false} suffixIcon={null} maxCount={20} />
      </Form.Item>
      <Form.Item
        name="sharing"
        label="Who may see and run it"
        extra="Everybody runs it with their own rights: each sees what their own role may see."
      >
        <Radio.Group
          options={[
            { value: "own", label: "Only I" },
            ...(data?.teams.length ? [{ value: "team", label: "A team" }] : []),
            { value: "tenant", label: "The firm" },
          ]}
        />
      </Form.Item>
      {sharing === "team" ? (
        <Form.Item name="team" label="Team" rules={[{ required: true, message: "Choose a team." }]}>
          <Select options={(data?.teams ?? []).map((one) => ({ value: one.id, label: one.name }))} />
        </Form.Item>
      ) : null}
    </FormDialog>
  );
}
