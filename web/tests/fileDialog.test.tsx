import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App } from "antd";
import { expect, it, vi } from "vitest";
import { CSV_ONLY, FileDialog } from "../src/shared/ui/FileDialog";

function dialog(file: Blob) {
  const asked: string[][] = [];
  let closed = 0;
  const take = async (format: string, reason: string) => {
    asked.push([format, reason]);
    return file;
  };
  render(
    <App>
      <FileDialog title="Export" name="rows" formats={CSV_ONLY} take={take} onClose={() => closed++}>
        All rows.
      </FileDialog>
    </App>,
  );
  return { asked, closed: () => closed };
}

async function ask(reason: string) {
  await userEvent.type(screen.getByLabelText(/^Why/), reason);
  await userEvent.click(screen.getByRole("button", { name: "Export" }));
}

it("hands a file to the browser", async () => {
  const made = vi.fn(() => "blob:rows");
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: made, revokeObjectURL: vi.fn() }));
  const seen = dialog(new Blob(["a"], { type: "text/csv;charset=utf-8" }));
  await ask("the yearly report");
  expect(await screen.findByText("The file is in your downloads.")).toBeTruthy();
  expect(seen.asked).toEqual([["csv", "the yearly report"]]);
  expect(made).toHaveBeenCalledOnce();
  expect(seen.closed()).toBe(1);
});

it("says that much of it waits for somebody else, and makes no file", async () => {
  const made = vi.fn(() => "blob:rows");
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: made, revokeObjectURL: vi.fn() }));
  const seen = dialog(new Blob(["{}"], { type: "application/json" }));
  await ask("the yearly report");
  expect(await screen.findByText(/somebody else has to approve it/)).toBeTruthy();
  expect(made).not.toHaveBeenCalled();
  expect(seen.closed()).toBe(1);
});
