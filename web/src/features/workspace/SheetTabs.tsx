import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { closed, newSheet, opened, type Sheets } from "./sheets";

interface SheetTabsProps {
  sheets: Sheets;
  onSheets(change: (now: Sheets) => Sheets): void;
}

/** The statements at hand, kept in this browser. */
export function SheetTabs({ sheets, onSheets }: SheetTabsProps) {
  const add = () => onSheets((now) => opened(now, newSheet(`Query ${now.open.length + 1}`)));
  return (
    <div className="sql-sheets">
      {sheets.open.map((sheet) => {
        const here = sheet.id === sheets.at;
        return (
          <span key={sheet.id} className={here ? "sql-sheet sql-sheet-here" : "sql-sheet"}>
            <button
              type="button"
              aria-pressed={here}
              onClick={() => onSheets((now) => ({ ...now, at: sheet.id }))}
            >
              {sheet.title}
            </button>
            <Button
              size="small"
              type="text"
              aria-label={`Close ${sheet.title}`}
              icon={<CloseOutlined aria-hidden />}
              onClick={() => onSheets((now) => closed(now, sheet.id))}
            />
          </span>
        );
      })}
      <Button
        size="small"
        type="text"
        icon={<PlusOutlined aria-hidden />}
        onClick={add}
        aria-label="New query"
      />
    </div>
  );
}
