import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";
import { Parts } from "../src/shared/ui/Parts";

const PARTS = [
  { name: "fields", title: "Fields" },
  { name: "rules", title: "Rules" },
  { name: "sample", title: "Sample" },
] as const;

function Shown() {
  const [shown, setShown] = useState<(typeof PARTS)[number]["name"]>("fields");
  return (
    <Parts label="Parts of the contract" parts={PARTS} shown={shown} onShow={(name) => setShown(name)}>
      <p>It shows {shown}.</p>
    </Parts>
  );
}

it("is worked with the arrow keys, and takes one stop of the Tab key", async () => {
  render(
    <>
      <Shown />
      <button type="button">After</button>
    </>,
  );
  const tab = (name: string) => screen.getByRole("tab", { name });
  await userEvent.tab();
  expect(document.activeElement).toBe(tab("Fields"));
  await userEvent.keyboard("{ArrowRight}");
  expect(document.activeElement).toBe(tab("Rules"));
  expect(screen.getByRole("tabpanel", { name: "Rules" }).textContent).toBe("It shows rules.");
  await userEvent.keyboard("{End}{ArrowRight}{ArrowLeft}");
  expect(tab("Sample").getAttribute("aria-selected")).toBe("true");
  await userEvent.tab();
  expect(document.activeElement?.textContent).toBe("After");
});
