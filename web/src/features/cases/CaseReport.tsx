import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Select, Space } from "antd";
import { useState } from "react";
import { saveFile } from "../../shared/csv";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { ReasonDialog } from "../../shared/ui/ReasonDialog";
import { When } from "../../shared/ui/values";
import { CASES, type CaseDocument, exportReport, type Report, reportQuery, saveReport } from "./queries";

type Format = "json" | "html";

/** The suspicious activity report of a case: written here, and let out of Finer with a second person. */
export function CaseReport({ found, mine }: { found: CaseDocument; mine: boolean }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const writes = may(permission.reportCases) && mine;
  const { data } = useQuery({ ...reportQuery(found.id), enabled: writes });
  const [writing, setWriting] = useState(false);
  const [leaving, setLeaving] = useState<Format | null>(null);
  if (!writes) return null;
  const refresh = () => void client.invalidateQueries({ queryKey: [CASES] });
  const take = async (format: Format, reason: string) => {
    const made = await exportReport(found.id, format, reason);
    if (made instanceof Blob) saveFile(`report-case-${found.number}.${format}`, made);
    else message.info("Somebody else approves it on the page Approvals. Export it again then.", 8);
    refresh();
  };
  return (
    <section aria-label="Report">
      <h2>Suspicious activity report</h2>
      <p className="muted">
        {data?.changed_at ? (
          <>
            Draft {data.version} by {data.changed_by}, <When at={data.changed_at} />
          </>
        ) : (
          "Not written yet; a first draft is made from the case."
        )}
        {data?.exported_at ? (
          <>
            . Exported <When at={data.exported_at} />
          </>
        ) : null}
      </p>
      <Space wrap>
        <Button onClick={() => setWriting(true)} disabled={!data}>
          Write
        </Button>
        <Button onClick={() => setLeaving("json")}>Export JSON</Button>
        <Button onClick={() => setLeaving("html")}>Export to print</Button>
      </Space>
      {writing && data ? (
        <WriteDialog
          report={data}
          onClose={() => setWriting(false)}
          onSubmit={async (draft) => {
            await saveReport(found.id, data.version, draft);
            refresh();
          }}
        />
      ) : null}
      {leaving ? (
        <ReasonDialog
          title="Export the report"
          text="It names people in clear. You prove who you are, and somebody else approves it first."
          okText="Export"
          onClose={() => setLeaving(null)}
          onReason={(reason) => take(leaving, reason)}
        />
      ) : null}
    </section>
  );
}

type Draft = Pick<Report, "reason" | "action" | "indicators">;

interface WriteDialogProps {
  report: Report;
  onClose(): void;
  onSubmit(draft: Draft): Promise<void>;
}

function WriteDialog({ report, onClose, onSubmit }: WriteDialogProps) {
  return (
    <FormDialog<Draft>
      title="Suspicious activity report"
      okText="Keep the draft"
      width={720}
      initialValues={report}
      onSubmit={onSubmit}
      onClose={onClose}
    >
      <p className="muted">Transactions and parties are added from the case when it is exported.</p>
      <Form.Item name="reason" label="Reason for suspicion">
        <Input.TextArea rows={9} maxLength={20_000} />
      </Form.Item>
      <Form.Item name="action" label="Action taken">
        <Input.TextArea rows={3} maxLength={4000} />
      </Form.Item>
      <Form.Item name="indicators" label="Indicators (Enter adds one)">
        <Select mode="tags" maxCount={20} />
      </Form.Item>
    </FormDialog>
  );
}
