// The directions of the house, held by a machine: api <- shared <- features <- app; features are strangers;
// no file over 250 lines; no barrel files; nothing that the content security policy refuses. Run by `npm run check:structure`; proven by tests/structure.test.ts.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

const MOST_LINES = 250;
/** What each floor may see of the floors below it. */
const MAY_SEE = {
  api: ["api"],
  shared: ["shared", "api"],
  features: ["shared", "api"],
  app: ["app", "features", "shared", "api"],
};

/** Every fault of a source tree as a sentence. */
export function faultsOf(root) {
  const faults = [];
  for (const file of filesIn(root)) {
    const name = relative(root, file).split(sep).join("/");
    if (name === "api/schema.d.ts") continue;
    const text = readFileSync(file, "utf8");
    const lines = text.split("\n").length - 1;
    if (lines > MOST_LINES) faults.push(`${name} has ${lines} lines; at most ${MOST_LINES} are allowed.`);
    if (/\/index\.tsx?$/.test(name)) faults.push(`${name} is a barrel file; import from the file itself.`);
    if (/\bautoSize\b/.test(text))
      faults.push(`${name} lets a field size itself: that sets a style attribute, which our policy refuses.`);
    const [floor, room] = name.split("/");
    if (!(floor in MAY_SEE)) {
      faults.push(`${name} is on no floor; there are ${Object.keys(MAY_SEE).join(", ")}.`);
      continue;
    }
    for (const [, target] of text.matchAll(/(?:from|import|@import)\s*\(?\s*["'](\.[^"']*)["']/g)) {
      const [toFloor, toRoom] = relative(root, resolve(dirname(file), target)).split(sep);
      const sameRoom = floor === "features" && toFloor === "features" && room === toRoom;
      if (sameRoom || MAY_SEE[floor].includes(toFloor)) continue;
      const why =
        floor === "features" && toFloor === "features" ? "features are strangers" : "imports only go down";
      faults.push(`${name} imports ${target}: ${why}.`);
    }
  }
  return faults;
}

function filesIn(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))
    .filter((path) => /\.(tsx?|css)$/.test(path));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = faultsOf(join(dirname(process.argv[1]), "..", "src"));
  for (const fault of faults) console.error(fault);
  if (faults.length === 0) console.log("The structure holds.");
  process.exitCode = faults.length > 0 ? 1 : 0;
}
