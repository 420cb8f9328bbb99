import { controlKey, useRegisteredHotkeys } from "../shared/hotkeys";
import { Dialog } from "../shared/ui/Dialog";

const WORDS: Record<string, string> = { Escape: "Esc", k: "k", Enter: "Enter" };
const GRID: readonly [string, string][] = [
  ["↑ ↓", "Move"],
  ["Home End", "First, last"],
  ["Enter", "Open"],
  ["Space", "Choose; with Shift, all from the last chosen"],
];

/** `?`: the keys that work on this page. */
export function Shortcuts({ onClose }: { onClose(): void }) {
  const hotkeys = useRegisteredHotkeys();
  const groups = [...new Set(hotkeys.map((each) => each.group))];
  return (
    <Dialog open onCancel={onClose} footer={null} title="Keyboard shortcuts" width={520}>
      {groups.map((group) => (
        <section key={group} className="keys">
          <h3>{group}</h3>
          <dl>
            {hotkeys
              .filter((each) => each.group === group)
              .map((each) => (
                <div key={each.key + String(each.withControl)}>
                  <dt>
                    {each.withControl ? <kbd>{controlKey()}</kbd> : null}{" "}
                    <kbd>{WORDS[each.key] ?? each.key}</kbd>
                  </dt>
                  <dd>{each.label}</dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
      <section className="keys">
        <h3>In a list</h3>
        <dl>
          {GRID.map(([key, label]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{label}</dd>
            </div>
          ))}
        </dl>
      </section>
    </Dialog>
  );
}
