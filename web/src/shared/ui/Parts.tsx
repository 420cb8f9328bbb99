import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";
import "./parts.css";

interface PartsProps<Name extends string> {
  /** What the parts are of. */
  label: string;
  parts: readonly { name: Name; title: ReactNode }[];
  shown: Name;
  onShow(name: Name): void;
  children: ReactNode;
}

/** Parts of a page of which one is shown: tabs, worked with the arrow keys, and below them the part. */
export function Parts<Name extends string>({ label, parts, shown, onShow, children }: PartsProps<Name>) {
  const id = useId();
  const tabs = useRef(new Map<Name, HTMLButtonElement>());
  const onKeyDown = (event: KeyboardEvent) => {
    const here = parts.findIndex((part) => part.name === shown);
    const last = parts.length - 1;
    const places: Record<string, number> = {
      ArrowLeft: here > 0 ? here - 1 : last,
      ArrowRight: here < last ? here + 1 : 0,
      Home: 0,
      End: last,
    };
    const next = parts[places[event.key] ?? -1];
    if (!next) return;
    event.preventDefault();
    onShow(next.name);
    tabs.current.get(next.name)?.focus();
  };
  return (
    <div className="parts">
      <div className="parts-tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {parts.map(({ name, title }) => (
          <button
            key={name}
            ref={(tab) => {
              if (tab) tabs.current.set(name, tab);
            }}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={name === shown}
            aria-controls={name === shown ? `${id}-part` : undefined}
            tabIndex={name === shown ? 0 : -1}
            onClick={() => onShow(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-part`} aria-labelledby={`${id}-${shown}`} className="parts-part">
        {children}
      </div>
    </div>
  );
}
