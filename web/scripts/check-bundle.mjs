// What a browser loads before the first page shows, compressed. Run after `npm run build`.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const MOST_KB = 450;
const dist = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const manifest = JSON.parse(readFileSync(join(dist, ".vite", "manifest.json"), "utf8"));

/** The files that an entry needs at once: itself and its static imports. */
function needed(key, found = new Set()) {
  if (found.has(key)) return found;
  found.add(key);
  for (const each of manifest[key].imports ?? []) needed(each, found);
  return found;
}

const kb = (keys) => {
  const files = new Set([...keys].map((key) => manifest[key].file));
  return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file))).length, 0) / 1024;
};
let failed = false;
const entry = needed("index.html");
for (const page of [
  "src/features/identity/SignInPage.tsx",
  "src/features/fraud/FraudPage.tsx",
  "src/features/operations/PipelinePage.tsx",
  "src/features/workspace/WorkspacePage.tsx",
]) {
  const size = kb(new Set([...entry, ...needed(page)]));
  failed ||= size > MOST_KB;
  console.log(`${page}: ${size.toFixed(0)} KB of JavaScript (gzip), at most ${MOST_KB}`);
}
console.log(`entry alone: ${kb(entry).toFixed(0)} KB`);
process.exitCode = failed ? 1 : 0;
