import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, Select } from "antd";
import { useSession } from "../../shared/session";
import { Dialog } from "../../shared/ui/Dialog";
import { FormDialog } from "../../shared/ui/FormDialog";
import { BlockSkeleton, FailureState, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { type Dashboard, type Digest, digestQuery, endDigest, setDigest } from "./queries";

interface Fields {
  every: string;
  cron: string;
  timezone: string;
}

const TIMES = [
  { value: "0 8 * * 1-5", label: "On working days at 8:00" },
  { value: "0 8 * * *", label: "Every day at 8:00" },
  { value: "0 8 * * 1", label: "On Mondays at 8:00" },
  { value: "0 8 1 * *", label: "On the first of the month at 8:00" },
  { value: "own", label: "Another time (cron)" },
];

/** When this person gets the dashboard by e-mail. */
export function DigestDialog({ dashboard, onClose }: { dashboard: Dashboard; onClose(): void }) {
  const { data, error, refetch } = useQuery(digestQuery(dashboard.id));
  if (data) return <Asked dashboard={dashboard} digest={data} onClose={onClose} />;
  return (
    <Dialog open title={`${dashboard.name} by e-mail`} footer={null} onCancel={onClose}>
      {error ? (
        <FailureState what="The digest" error={error} onRetry={() => void refetch()} />
      ) : (
        <BlockSkeleton height={120} label="Loading" />
      )}
    </Dialog>
  );
}

function Asked({ dashboard, digest, onClose }: { dashboard: Dashboard; digest: Digest; onClose(): void }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const [form] = Form.useForm<Fields>();
  const every = Form.useWatch("every", form);
  const refresh = () => client.invalidateQueries({ queryKey: digestQuery(dashboard.id).queryKey });
  const known = TIMES.some((one) => one.value === digest.cron);
  return (
    <FormDialog<Fields>
      title={`${dashboard.name} by e-mail`}
      okText={digest.active ? "Change" : "Send it to me"}
      form={form}
      initialValues={{
        every: digest.cron ? (known ? digest.cron : "own") : "0 8 * * 1-5",
        cron: digest.cron || "0 8 * * 1-5",
        timezone: digest.timezone || timeZone,
      }}
      onSubmit={async (fields) => {
        await setDigest(dashboard.id, {
          cron: fields.every === "own" ? fields.cron : fields.every,
          timezone: fields.timezone,
        });
        await refresh();
      }}
      onClose={onClose}
    >
      {digest.mail ? null : (
        <Alert
          type="warning"
          showIcon
          title="This installation sends no e-mail yet. An operator sets a relay: FINER_MAIL_URL."
        />
      )}
      {digest.problem ? <Alert type="warning" showIcon title={digest.problem} /> : null}
      <p>
        The numbers of its tiles come to your own address, as your role sees them at that moment. Rows stay
        here.
      </p>
      <Form.Item name="every" label="When">
        <Select options={TIMES} />
      </Form.Item>
      {every === "own" ? (
        <Form.Item name="cron" label="Cron" extra="Minute, hour, day of month, month, day of week">
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
      ) : null}
      <Form.Item name="timezone" label="Time zone">
        <Input maxLength={60} autoComplete="off" />
      </Form.Item>
      {digest.active && digest.next_at ? (
        <p className="muted">
          Next <When at={digest.next_at} />
          {digest.last_at ? (
            <>
              , last <When at={digest.last_at} />
            </>
          ) : null}
          .{" "}
          <Button
            type="link"
            size="small"
            danger
            onClick={() =>
              void endDigest(dashboard.id)
                .then(refresh)
                .then(onClose, (error: unknown) => message.error(reasonOf(error), 8))
            }
          >
            Send it no more
          </Button>
        </p>
      ) : null}
    </FormDialog>
  );
}
