import { useQuery } from "@tanstack/react-query";
import { Form, Input, Select } from "antd";
import { METRICS, permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { ParameterInputs } from "./ParameterInputs";
import { metricsQuery, type Saved, savedQuery, type Threshold, type Tile } from "./queries";
import { ThresholdFields } from "./ThresholdFields";
import { SPAN_WORDS, SPANS, type SpanName } from "./view";

interface Fields {
  title: string;
  source: "metric" | "query";
  kind: Tile["kind"];
  metric: string;
  span: SpanName;
  by: "" | "region" | "channel" | "product";
  saved: string;
  parameters: Record<string, string | number | boolean | null>;
  x: string;
  y: string[];
  series: string;
  thresholds: Threshold[];
}

interface TileDialogProps {
  tile: Tile | null;
  onClose(): void;
  onTile(fields: Omit<Tile, "id" | "x" | "y" | "w" | "h">): void;
}

const KINDS = [
  { value: "number", label: "Number" },
  { value: "line", label: "Line" },
  { value: "bar", label: "Bars" },
  { value: "table", label: "Table" },
];
const BY = [
  { value: "", label: "Time" },
  { value: "region", label: "Region" },
  { value: "channel", label: "Channel" },
  { value: "product", label: "Product" },
];

/** What a tile shows, and how: a metric, or a saved query. */
export function TileDialog({ tile, onClose, onTile }: TileDialogProps) {
  const { may } = useSession();
  const [form] = Form.useForm<Fields>();
  const metrics = useQuery(metricsQuery);
  const runs = may(permission.runSql);
  const saved = useQuery({ ...savedQuery, enabled: runs });
  const source = Form.useWatch("source", form);
  const kind = Form.useWatch("kind", form);
  const wanted = Form.useWatch("saved", form);
  const chosen = saved.data?.items.find((one) => one.id === wanted);
  const sources = [
    ...(METRICS.some(may) ? [{ value: "metric", label: "A metric" }] : []),
    ...(runs ? [{ value: "query", label: "A saved query" }] : []),
  ];
  const submit = async (fields: Fields) => {
    onTile({
      title: fields.title.trim(),
      kind: fields.kind,
      thresholds: fields.kind === "table" ? [] : (fields.thresholds ?? []),
      metric:
        fields.source === "metric"
          ? { name: fields.metric, span: fields.span, by: fields.kind === "number" ? "" : fields.by }
          : null,
      query:
        fields.source === "query"
          ? {
              saved: fields.saved,
              parameters: fields.parameters ?? {},
              x: fields.kind === "number" ? "" : (fields.x ?? "").trim(),
              y: fields.y ?? [],
              series: fields.kind === "number" ? "" : (fields.series ?? "").trim(),
            }
          : null,
    });
  };
  return (
    <FormDialog<Fields>
      title={tile ? `Edit ${tile.title}` : "Add a tile"}
      okText={tile ? "Change" : "Add"}
      width={560}
      form={form}
      initialValues={valuesOf(tile, sources[0]?.value as Fields["source"] | undefined)}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="title"
        label="Title"
        rules={[{ required: true, whitespace: true, message: "Give the tile a title." }]}
      >
        <Input maxLength={120} autoComplete="off" />
      </Form.Item>
      <div className="dash-pair">
        <Form.Item name="source" label="What it shows">
          <Select options={sources} />
        </Form.Item>
        <Form.Item name="kind" label="As">
          <Select options={KINDS} />
        </Form.Item>
      </div>
      {source === "query" ? (
        <QueryFields saved={saved.data?.items ?? []} chosen={chosen} kind={kind} />
      ) : (
        <MetricFields
          kind={kind}
          options={(metrics.data?.items ?? []).map((one) => ({
            value: one.name,
            label: one.title,
            title: one.about,
          }))}
        />
      )}
      {kind === "table" ? null : <ThresholdFields />}
    </FormDialog>
  );
}

function MetricFields({ kind, options }: { kind: Tile["kind"] | undefined; options: object[] }) {
  return (
    <>
      <Form.Item name="metric" label="Metric" rules={[{ required: true, message: "Choose a metric." }]}>
        <Select showSearch={{ optionFilterProp: "label" }} options={options} />
      </Form.Item>
      <div className="dash-pair">
        <Form.Item name="span" label="Of the last">
          <Select options={SPANS.map((value) => ({ value, label: SPAN_WORDS[value] }))} />
        </Form.Item>
        {kind === "number" ? null : (
          <Form.Item name="by" label="By">
            <Select options={BY} />
          </Form.Item>
        )}
      </div>
    </>
  );
}

function QueryFields({
  saved,
  chosen,
  kind,
}: {
  saved: readonly Saved[];
  chosen: Saved | undefined;
  kind: Tile["kind"] | undefined;
}) {
  return (
    <>
      <Form.Item
        name="saved"
        label="Saved query"
        rules={[{ required: true, message: "Choose a saved query." }]}
        extra="Who sees the dashboard sees this tile only if the query is shared with them too. A schedule of the query keeps the tile fresh."
      >
        <Select
          showSearch={{ optionFilterProp: "label" }}
          options={saved.map((one) => ({ value: one.id, label: one.name }))}
        />
      </Form.Item>
      {chosen ? <ParameterInputs parameters={chosen.parameters} /> : null}
      {kind === "table" ? null : (
        <div className="dash-pair">
          {kind === "number" ? null : (
            <Form.Item name="x" label="Over the column" extra="Empty: the first that is no number">
              <Input maxLength={200} autoComplete="off" />
            </Form.Item>
          )}
          <Form.Item name="y" label="Values of the columns" extra="Empty: the first number">
            <Select mode="tags" open={false} suffixIcon={null} maxCount={kind === "number" ? 1 : 8} />
          </Form.Item>
          {kind === "number" ? null : (
            <Form.Item name="series" label="One for each value of">
              <Input maxLength={200} autoComplete="off" />
            </Form.Item>
          )}
        </div>
      )}
    </>
  );
}

function valuesOf(tile: Tile | null, source: Fields["source"] | undefined): Partial<Fields> {
  return {
    title: tile?.title ?? "",
    source: tile ? (tile.query ? "query" : "metric") : (source ?? "metric"),
    kind: tile?.kind ?? "line",
    metric: tile?.metric?.name,
    span: (tile?.metric?.span as SpanName | undefined) ?? "24h",
    by: (tile?.metric?.by as Fields["by"] | undefined) ?? "",
    saved: tile?.query?.saved,
    parameters: tile?.query?.parameters ?? {},
    x: tile?.query?.x ?? "",
    y: tile?.query?.y ?? [],
    series: tile?.query?.series ?? "",
    thresholds: tile?.thresholds ?? [],
  };
}
