import { SearchOutlined } from "@ant-design/icons";
import { Input, type InputRef } from "antd";
import { useRef } from "react";
import { useHotkeys } from "../hotkeys";
import { Draft } from "./Draft";

interface SearchBoxProps {
  value: string | undefined;
  onSearch(text: string | undefined): void;
  /** What is looked for, e.g. "Merchant or event id". */
  placeholder: string;
  /** What the key `/` does, and among which keys it is listed, e.g. "Search alerts" among "Alerts". */
  hotkey: { label: string; group: string };
}

/** The search above a list: it counts once typing stops, and the key `/` goes there. */
export function SearchBox({ value, onSearch, placeholder, hotkey }: SearchBoxProps) {
  const box = useRef<InputRef>(null);
  useHotkeys([{ key: "/", ...hotkey, run: () => box.current?.focus() }]);
  return (
    <Draft
      value={value ?? ""}
      onCommit={(text) => onSearch(text.trim() || undefined)}
      render={(text, change, commit) => (
        <Input
          ref={box}
          className="filter-search"
          aria-label={`Search ${placeholder.charAt(0).toLowerCase()}${placeholder.slice(1)}`}
          placeholder={placeholder}
          prefix={<SearchOutlined aria-hidden />}
          suffix={<kbd aria-hidden>/</kbd>}
          value={text}
          onChange={(event) => change(event.target.value)}
          onPressEnter={commit}
          onBlur={commit}
        />
      )}
    />
  );
}
