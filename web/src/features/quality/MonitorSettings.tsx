import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Segmented, Select, Switch } from "antd";
import { useState } from "react";
import { reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { changeMonitor, type Monitor, type MonitorDetail, QUALITY } from "./queries";

const HOUR_MS = 3_600_000;
const SENSITIVITIES = [
  { value: "low", label: "Low" },
  { value: "normal", label: "Normal" },
  { value: "high", label: "High" },
];
const MUTES = [
  { value: 1, label: "for an hour" },
  { value: 24, label: "for a day" },
  { value: 168, label: "for a week" },
];

/** On or off, more or less sensitive, muted for a while. Every change is in the audit trail. */
export function MonitorSettings({ one }: { one: MonitorDetail }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const save = async (
    changed: Partial<Pick<Monitor, "enabled" | "sensitivity" | "muted_until">>,
    done: string,
  ) => {
    setBusy(true);
    const { version, enabled, sensitivity, muted_until } = { ...one, ...changed };
    try {
      await changeMonitor(one.id, { version, enabled, sensitivity, muted_until });
      message.success(done);
    } catch (error) {
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: [QUALITY] });
    }
  };
  return (
    <fieldset className="quality-settings" disabled={busy}>
      <legend className="sr-only">Settings</legend>
      <span className="quality-setting">
        <Switch
          size="small"
          aria-label="Watch this"
          checked={one.enabled}
          onChange={(enabled) =>
            void save({ enabled }, enabled ? "It is watched." : "It is watched no more.")
          }
        />
        {one.enabled ? "On" : "Off"}
      </span>
      <span className="quality-setting">
        <span className="muted">Sensitivity</span>
        <Segmented
          size="small"
          aria-label="Sensitivity"
          value={one.sensitivity}
          options={SENSITIVITIES}
          onChange={(sensitivity) =>
            void save(
              { sensitivity: sensitivity as Monitor["sensitivity"] },
              "The band is drawn anew with the next step.",
            )
          }
        />
      </span>
      {one.state === "muted" && one.muted_until ? (
        <span className="quality-setting">
          Muted until <When at={one.muted_until} />
          <Button size="small" onClick={() => void save({ muted_until: null }, "It speaks again.")}>
            Unmute
          </Button>
        </span>
      ) : (
        <Select
          aria-label="Mute"
          placeholder="Mute …"
          size="small"
          value={null}
          options={MUTES}
          popupMatchSelectWidth={false}
          onChange={(hours: number) =>
            void save(
              { muted_until: new Date(Date.now() + hours * HOUR_MS).toISOString() },
              "It is muted. Its history goes on.",
            )
          }
        />
      )}
    </fieldset>
  );
}
