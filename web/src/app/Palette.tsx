import { SearchOutlined } from "@ant-design/icons";
import { Input } from "antd";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Dialog } from "../shared/ui/Dialog";
import { type Command, useCommands } from "./commands";

/** Ctrl-K: go anywhere and do anything by typing its name. */
export function Palette({ onClose, onShortcuts }: { onClose(): void; onShortcuts(): void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = useCommands(text, onShortcuts);
  const current = commands[Math.min(at, commands.length - 1)];
  const here = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another command is where the keys are now.
  useEffect(() => {
    // In braces: some browsers give back a promise, which is nothing to clean up with.
    here.current?.scrollIntoView({ block: "nearest" });
  }, [current?.id]);

  const run = (command: Command) => {
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The keys of an input method put a word together.
    if (event.nativeEvent.isComposing) return;
    const last = commands.length - 1;
    if (event.key === "ArrowDown") setAt(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? last : at - 1);
    else if (event.key === "Enter" && current) run(current);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog onCancel={onClose} footer={null} closable={false} width={560} style={{ top: 96 }} title={null}>
      <div className="palette">
        <Input
          autoFocus
          size="large"
          variant="borderless"
          prefix={<SearchOutlined aria-hidden />}
          placeholder="Go to a page, open an alert by its id, change the look"
          aria-label="Command"
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={current ? `palette-${current.id}` : undefined}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <div role="listbox" id="palette-list" aria-label="Commands" className="palette-list" tabIndex={-1}>
          {commands.map((command) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above handles the keys of the list.
            <div
              key={command.id}
              ref={command === current ? here : undefined}
              id={`palette-${command.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={command === current}
              className={command === current ? "palette-item palette-here" : "palette-item"}
              onClick={() => run(command)}
              onMouseMove={() => setAt(commands.indexOf(command))}
            >
              <span className="muted palette-group">{command.group}</span>
              <span className="cut">{command.label}</span>
            </div>
          ))}
        </div>
        {current ? null : (
          <p role="status" className="muted palette-none">
            No page and nothing to do is called like this.
          </p>
        )}
      </div>
    </Dialog>
  );
}
