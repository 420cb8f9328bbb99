import { Alert, App, Button } from "antd";
import { Dialog } from "../../shared/ui/Dialog";

/** New recovery codes, shown this once. */
export function RecoveryCodesDialog({ codes, onClose }: { codes: readonly string[]; onClose(): void }) {
  const { message } = App.useApp();
  const text = codes.join("\n");
  const copy = async () => {
    try {
      // Over plain HTTP there is no clipboard at all.
      await navigator.clipboard.writeText(text);
      message.success("Copied.");
    } catch {
      message.error("This browser does not allow copying. Select the codes and copy them by hand.");
    }
  };
  const download = `data:text/plain;charset=utf-8,${encodeURIComponent(`Recovery codes for Finer\n\n${text}\n`)}`;
  return (
    <Dialog
      title="Your recovery codes"
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onClose}>
          I have kept them
        </Button>
      }
    >
      <Alert
        type="warning"
        showIcon
        title="They are shown only now. Print them, or keep them where you keep passwords."
      />
      <ul className="account-codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p className="account-actions">
        <Button onClick={() => void copy()}>Copy</Button>
        <Button href={download} download="finer-recovery-codes.txt">
          Download
        </Button>
      </p>
    </Dialog>
  );
}
