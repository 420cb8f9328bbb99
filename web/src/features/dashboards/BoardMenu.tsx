import { MoreOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { App, Button, Dropdown } from "antd";
import { useState } from "react";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { reasonOf } from "../../shared/ui/states";
import { DigestDialog } from "./DigestDialog";
import { type Dashboard, removeDashboard } from "./queries";
import { SettingsDialog } from "./SettingsDialog";

/** What can be done with a whole dashboard. */
export function BoardMenu({ dashboard, onPresent }: { dashboard: Dashboard; onPresent(): void }) {
  const { may } = useSession();
  const { modal, message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState<"settings" | "copy" | "digest" | null>(null);
  const close = () => setOpen(null);
  const remove = () =>
    modal.confirm({
      title: `Delete ${dashboard.name}?`,
      content: "Its notes and digests go with it. Saved queries stay.",
      okText: "Delete",
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await removeDashboard(dashboard.id);
          await navigate({ to: paths.dashboards });
          await client.invalidateQueries({ queryKey: ["dashboards", "list"] });
        } catch (error) {
          message.error(reasonOf(error), 8);
        }
      },
    });
  return (
    <>
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "present", label: "Present (full screen)" },
            { key: "print", label: "Print or save as PDF" },
            { key: "digest", label: "Get it by e-mail …" },
            may(permission.writeDashboards) ? { key: "copy", label: "Make a copy …" } : null,
            dashboard.mine ? { key: "settings", label: "Name and sharing …" } : null,
            dashboard.mine ? { key: "delete", label: "Delete …", danger: true } : null,
          ].filter((one) => one !== null),
          onClick: ({ key }) => {
            if (key === "present") onPresent();
            else if (key === "print") window.print();
            else if (key === "delete") remove();
            else setOpen(key as "settings" | "copy" | "digest");
          },
        }}
      >
        <Button icon={<MoreOutlined aria-hidden />} aria-label="What to do with this dashboard" />
      </Dropdown>
      {open === "digest" ? <DigestDialog dashboard={dashboard} onClose={close} /> : null}
      {open === "settings" ? <SettingsDialog dashboard={dashboard} onClose={close} onSaved={close} /> : null}
      {open === "copy" ? (
        <SettingsDialog
          copied={dashboard}
          onClose={close}
          onSaved={(saved) => void navigate({ to: paths.dashboard, params: { id: saved.id } })}
        />
      ) : null}
    </>
  );
}
