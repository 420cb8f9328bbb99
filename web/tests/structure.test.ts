import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultsOf } from "../scripts/check-structure.mjs";

/** A source tree with the files given. */
function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "finer-web-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

describe("the structure", () => {
  it("holds for this app", () => {
    expect(faultsOf(join(import.meta.dirname, "..", "src"))).toEqual([]);
  });
  it("allows imports that go down", () => {
    const root = tree({
      "app/a.ts": 'import "../features/fraud/f";\nimport "../shared/s";\n',
      "features/fraud/f.ts": 'import { x } from "./g";\nimport "../../api/client";\n',
    });
    expect(faultsOf(root)).toEqual([]);
  });
  it.each([
    ["features/fraud/f.ts", 'import { x } from "../operations/o";\n', "features are strangers"],
    ["features/fraud/f.ts", 'const x = () => import("../../app/a");\n', "imports only go down"],
    ["shared/s.ts", 'import type { X } from "../features/fraud/f";\n', "imports only go down"],
    ["api/a.ts", 'import { x } from "../shared/s";\n', "imports only go down"],
    ["shared/ui/index.ts", "export {};\n", "barrel"],
    ["shared/s.ts", "\n".repeat(251), "251 lines"],
    ["shared/s.tsx", "<Input.TextArea autoSize />", "our policy refuses"],
    ["helpers/h.ts", "export {};\n", "on no floor"],
  ])("refuses %s with %j", (name, text, why) => {
    expect(faultsOf(tree({ [name]: text })).join()).toContain(why);
  });
});
