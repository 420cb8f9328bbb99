import { useMutation } from "@tanstack/react-query";
import { App, Input, Modal, Radio } from "antd";
import { useId, useState } from "react";
import { saveFile } from "../../../shared/csv";
import { EXPORT_WAITS } from "../../../shared/ui/exportWaits";
import { reasonOf } from "../../../shared/ui/states";
import { type AuditFilter, isNarrowed } from "./filter";
import { exportTrail } from "./queries";

/** The listed entries as a file; that somebody took them is an entry itself. */
export function ExportDialog({ filter, onClose }: { filter: AuditFilter; onClose(): void }) {
  const { message } = App.useApp();
  const id = useId();
  const [format, setFormat] = useState<"csv" | "jsonl">("csv");
  const [reason, setReason] = useState("");
  const taking = useMutation({
    mutationFn: () => exportTrail(filter, format, reason),
    onSuccess: (file) => {
      if (file === null) {
        message.info(EXPORT_WAITS, 10);
      } else {
        saveFile(`audit.${format}`, file);
        message.success("The entries are in your downloads.");
      }
      onClose();
    },
  });
  return (
    <Modal
      open
      width={460}
      title="Export the audit trail"
      okText="Export"
      confirmLoading={taking.isPending}
      onOk={() => taking.mutate()}
      onCancel={onClose}
    >
      <p>
        {isNarrowed(filter)
          ? "The entries that your filter shows, the oldest first."
          : "Every entry, the oldest first."}{" "}
        At most 100,000; the export itself is written down.
      </p>
      <Radio.Group
        className="export-formats"
        aria-label="Format"
        value={format}
        onChange={(event) => setFormat(event.target.value)}
        options={[
          { value: "csv", label: "CSV, for spreadsheets" },
          { value: "jsonl", label: "JSON lines, for programs" },
        ]}
      />
      <label htmlFor={id}>Why (for whoever approves a large export)</label>
      <Input id={id} maxLength={1000} value={reason} onChange={(event) => setReason(event.target.value)} />
      {taking.error ? (
        <p role="alert" className="problem">
          {reasonOf(taking.error)}
        </p>
      ) : null}
    </Modal>
  );
}
