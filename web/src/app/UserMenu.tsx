import { DesktopOutlined, MoonOutlined, SunOutlined, UserOutlined } from "@ant-design/icons";
import { useNavigate } from "@tanstack/react-router";
import { Button, Popover, Segmented } from "antd";
import { useState } from "react";
import { paths } from "../shared/paths";
import { type Preferences, setPreferences, usePreferences } from "../shared/preferences";
import { useSession } from "../shared/session";
import { useSignOut } from "./commands";

/** Who is signed in, how the app looks, and the way out. */
export function UserMenu({ onShortcuts }: { onShortcuts(): void }) {
  const { me, timeZone } = useSession();
  const { theme, density } = usePreferences();
  const [open, setOpen] = useState(false);
  const leave = useSignOut();
  const navigate = useNavigate();
  const role = me.user.role.replaceAll("_", " ");
  const content = (
    <div className="user">
      <p>
        <strong>{me.user.name}</strong>
        <span className="muted">{me.user.email}</span>
        <span className="muted">
          {role} at {me.tenant.name}
        </span>
        <span className="muted">Times are in {timeZone}</span>
      </p>
      <span id="theme-name">Theme</span>
      <Segmented<Preferences["theme"]>
        block
        aria-labelledby="theme-name"
        value={theme}
        onChange={(next) => setPreferences({ theme: next })}
        options={[
          { value: "light", label: "Light", icon: <SunOutlined aria-hidden /> },
          { value: "dark", label: "Dark", icon: <MoonOutlined aria-hidden /> },
          { value: "system", label: "System", icon: <DesktopOutlined aria-hidden /> },
        ]}
      />
      <span id="density-name">Density</span>
      <Segmented<Preferences["density"]>
        block
        aria-labelledby="density-name"
        value={density}
        onChange={(next) => setPreferences({ density: next })}
        options={[
          { value: "comfortable", label: "Comfortable" },
          { value: "compact", label: "Compact" },
        ]}
      />
      <Button
        type="text"
        onClick={() => {
          setOpen(false);
          void navigate({ to: paths.account });
        }}
      >
        Account security
      </Button>
      <Button
        type="text"
        onClick={() => {
          setOpen(false);
          onShortcuts();
        }}
      >
        Keyboard shortcuts <kbd>?</kbd>
      </Button>
      <Button type="text" onClick={leave}>
        Sign out
      </Button>
    </div>
  );
  return (
    <Popover content={content} trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen}>
      <Button
        type="text"
        icon={<UserOutlined aria-hidden />}
        aria-expanded={open}
        aria-label={`Account of ${me.user.name}`}
      >
        <span className="wide-only">{me.user.name}</span>
      </Button>
    </Popover>
  );
}
