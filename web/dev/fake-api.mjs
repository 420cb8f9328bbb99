// A stand-in for the server, for looking at pages and for nothing else: dist/ plus the shapes of the API, in memory.
//   node dev/fake-api.mjs [--port 8000] [--rate 0.5]      alerts per second
// GET /__fake?mode=normal|fail|slow|empty|drop&rate=N misbehaves on purpose; POST /__fake/alerts?n=12 raises alerts now.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { makePipeline } from "./fake-pipeline.mjs";
import { makeWorld, RULES, usd } from "./fake-world.mjs";

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const DIST = join(fileURLToPath(new URL(".", import.meta.url)), "..", "dist");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const world = makeWorld();
const pipeline = makePipeline(world);
const alerts = world.history(new Date(), 900);
const streams = new Set();
let mode = "normal";
let rate = Number(argument("rate", "0.4"));

const PEOPLE = {
  "analyst@luzon.example": [
    "Mei Tan",
    "risk_analyst",
    [
      "alerts:read",
      "alerts:resolve",
      "alerts:summarise",
      "pipeline:read",
      "quarantine:read",
      "receipts:read",
    ],
  ],
  "engineer@luzon.example": [
    "Rafael Cruz",
    "data_engineer",
    ["pipeline:read", "quarantine:read", "receipts:read"],
  ],
  "auditor@luzon.example": [
    "Siti Rahman",
    "auditor",
    ["alerts:read", "alerts:summarise", "pipeline:read", "quarantine:read", "receipts:read"],
  ],
};

function meOf(email) {
  const [name, role, permissions] = PEOPLE[email];
  return {
    user: { id: `usr_${role}`, name, email, role },
    tenant: {
      id: "ten_1", name: "Luzon Savings Bank", slug: "luzon", base_currency: "PHP", timezone: "Asia/Manila",
      branding: { primary_color: "#0f5c5c", logo_text: "Luzon Savings" },
    },
    permissions,
  }; // biome-ignore format: short.
}

function summary() {
  const list = mode === "empty" ? [] : alerts;
  const sum = (some) => usd(some.reduce((total, alert) => total + alert.amount_usd.minor, 0) / 100);
  const open = list.filter((alert) => alert.state === "open");
  const fraud = list.filter((alert) => alert.state === "confirmed_fraud");
  const today = new Date().toISOString().slice(0, 10);
  const minute = Math.floor(Date.now() / 60_000);
  const perMinute = new Array(60).fill(0);
  for (const alert of list) {
    const ago = minute - Math.floor(Date.parse(alert.raised_at) / 60_000);
    if (ago >= 0 && ago < 60) perMinute[59 - ago] += 1;
  }
  const of = (rule, some) => some.filter((alert) => alert.rules.some((each) => each.id === rule)).length;
  return {
    open: open.length,
    open_amount_usd: sum(open),
    confirmed: fraud.length,
    dismissed: list.length - open.length - fraud.length,
    blocked_today: list.filter((alert) => alert.action === "block" && alert.raised_at >= today).length,
    protected_usd: sum(fraud.filter((alert) => alert.action === "block")),
    in_review_usd: sum(open.filter((alert) => alert.action === "review")),
    by_rule: Object.entries(RULES).map(([rule, [title]]) => ({
      rule, title, open: of(rule, open), confirmed: of(rule, fraud), dismissed: 0,
    })), // biome-ignore format: short.
    per_minute: perMinute.map((n, i) => ({
      minute: new Date((minute - 59 + i) * 60_000).toISOString(),
      alerts: n,
    })),
    as_of: new Date().toISOString(),
  };
}

function listAlerts(query) {
  const state = { open: "open", confirmed: "confirmed_fraud", dismissed: "dismissed" }[query.get("state")];
  const text = (query.get("q") ?? "").toLowerCase();
  const found = (mode === "empty" ? [] : alerts).filter(
    (alert) =>
      (!state || alert.state === state) &&
      (!query.get("action") || alert.action === query.get("action")) &&
      (!query.get("rule") || alert.rules.some((each) => each.id === query.get("rule"))) &&
      alert.amount_usd.minor >= Number(query.get("min_amount_usd") ?? 0) * 100 &&
      (!query.get("from") || alert.raised_at >= query.get("from")) &&
      (!query.get("to") || alert.raised_at < query.get("to")) &&
      (!text || JSON.stringify(alert).toLowerCase().includes(text)),
  );
  if (query.get("sort") === "amount") found.sort((a, b) => b.amount_usd.minor - a.amount_usd.minor);
  else found.reverse();
  return { ...page(found, query), as_of: new Date().toISOString() };
}

function page(list, query) {
  const limit = Math.min(200, Number(query.get("limit") ?? 50));
  const before = query.get("before");
  const from = before ? list.findIndex((each) => each.id === before) + 1 : 0;
  const items = list.slice(from, from + limit);
  return { items, next: from + limit < list.length ? items.at(-1).id : null };
}

function resolve(id, body, by) {
  const at = alerts.findIndex((alert) => alert.id === id);
  if (at < 0) return problem(404, "not-found", "There is no such alert.");
  const alert = alerts[at];
  if (alert.state !== "open" || alert.version !== body.version) {
    return problem(409, "alert-resolved", `${alert.resolution?.by ?? "Somebody"} judged this alert first.`);
  }
  alerts[at] = world.judge(alert, body.verdict, by, body.note, new Date().toISOString());
  publish("alert", alerts[at]);
  publish("summary", summary());
  return [200, alerts[at]];
}

function problem(status, slug, detail) {
  return [status, { type: `urn:finer:problem:${slug}`, title: "The request failed", status, detail }];
}

function raise() {
  const alert = world.alertAt(new Date());
  alerts.push(alert);
  publish("alert", alert);
  publish("summary", summary());
  return alert;
}

function publish(name, data) {
  for (const stream of streams) if (stream.kind === "alerts") stream.send(name, data);
}

function openStream(response, kind) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  let id = 0;
  const send = (name, data) =>
    response.write(`id: ${++id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const stream = { kind, send, end: () => response.end() };
  streams.add(stream);
  response.write(": welcome\n\n");
  const beat = setInterval(
    () => {
      if (kind === "pipeline") send("pipeline", pipeline.document(mode === "empty"));
      else response.write(": beat\n\n");
    },
    kind === "pipeline" ? 1000 : 15_000,
  );
  response.on("close", () => {
    clearInterval(beat);
    streams.delete(stream);
  });
}

function route(method, path, query, body, email) {
  const at = `${method} ${path}`;
  if (at === "POST /session") {
    if (!PEOPLE[body.email] || body.password !== "finer")
      return problem(401, "unauthenticated", "Wrong e-mail or password.");
    return [200, meOf(body.email), body.email];
  }
  if (at === "POST /session/link") {
    return body.token === "spent"
      ? problem(401, "unauthenticated", "Used already.")
      : [200, meOf("analyst@luzon.example"), "analyst@luzon.example"];
  }
  if (at === "DELETE /session") return [204, null, ""];
  if (!email) return problem(401, "unauthenticated", "Nobody is signed in.");
  if (at === "GET /me") return [200, meOf(email)];
  if (mode === "fail")
    return problem(500, "internal", "The database did not answer in time. Try again in a moment.");
  if (at === "GET /alerts") return [200, listAlerts(query)];
  if (at === "GET /alerts/summary") return [200, summary()];
  if (at === "GET /pipeline") return [200, pipeline.document(mode === "empty")];
  const choose = (list) =>
    mode === "empty"
      ? []
      : list.filter((each) => !query.get("contract") || each.contract === query.get("contract"));
  if (at === "GET /quarantine") {
    const rule = query.get("rule");
    return [
      200,
      page(
        choose(pipeline.quarantine).filter((each) => !rule || each.errors.some((e) => e.rule === rule)),
        query,
      ),
    ];
  }
  if (at === "GET /quarantine/causes") {
    const causes = new Map();
    for (const { contract, errors } of choose(pipeline.quarantine)) {
      const key = `${contract} ${errors[0].rule}`;
      const cause = causes.get(key) ?? {
        contract,
        field: errors[0].field,
        rule: errors[0].rule,
        records: 0,
        example: errors[0].reason,
      };
      cause.records += 1;
      causes.set(key, cause);
    }
    return [200, { items: [...causes.values()] }];
  }
  if (at === "GET /receipts") return [200, page(choose(pipeline.receipts), query)];
  const [, id, act] = /^\/alerts\/([^/]+)(\/resolution)?$/.exec(path) ?? [];
  if (id && act && method === "POST") return resolve(id, body, PEOPLE[email][0]);
  const alert = alerts.find((each) => each.id === id);
  if (id && alert) return [200, world.detail(alert)];
  return problem(404, "not-found", "There is no such thing.");
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/__fake")) return control(url, response);
  if (!url.pathname.startsWith("/api/v1/")) return serveFile(url.pathname, response);
  const email = decodeURIComponent(/finer_session=([^;]*)/.exec(request.headers.cookie ?? "")?.[1] ?? "");
  const path = url.pathname.slice("/api/v1".length);
  if (mode === "slow" && path !== "/me") await new Promise((done) => setTimeout(done, 4000));
  if (path.endsWith("/stream") && email && mode !== "fail" && mode !== "drop") {
    return openStream(response, path === "/pipeline/stream" ? "pipeline" : "alerts");
  }
  let text = "";
  for await (const chunk of request) text += chunk;
  const [status, data, session] = path.endsWith("/stream")
    ? problem(503, "busy", "No stream now.")
    : route(request.method, path, url.searchParams, text ? JSON.parse(text) : {}, email);
  const headers = { "Content-Type": status < 400 ? "application/json" : "application/problem+json" };
  if (session !== undefined)
    headers["Set-Cookie"] = `finer_session=${encodeURIComponent(session)}; Path=/; HttpOnly; SameSite=Lax`;
  response.writeHead(status, headers).end(data === null ? undefined : JSON.stringify(data));
}

function control(url, response) {
  mode = url.searchParams.get("mode") ?? mode;
  rate = Number(url.searchParams.get("rate") ?? rate);
  if (mode === "drop" || mode === "fail") for (const stream of streams) stream.end();
  if (url.searchParams.has("judge")) {
    // Somebody else judges an alert without anybody being told by the stream.
    const at = alerts.findIndex((alert) => alert.id === url.searchParams.get("judge"));
    alerts[at] = world.judge(
      alerts[at],
      "confirmed_fraud",
      "Rafael Cruz",
      "Seen first.",
      new Date().toISOString(),
    );
  }
  for (let n = Number(url.searchParams.get("n") ?? 0); n > 0; n -= 1) raise();
  response.end("ok\n");
}

async function serveFile(path, response) {
  const file = normalize(path).replace(/^[/\\]+/, "");
  const known = extname(file) !== "" && !file.startsWith("..");
  try {
    const body = await readFile(join(DIST, known ? file : "index.html"));
    const type = TYPES[known ? extname(file) : ".html"] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

let owed = 0;
setInterval(() => {
  owed += rate / 4;
  for (; owed >= 1; owed -= 1) raise();
}, 250);
const port = Number(argument("port", "8000"));
createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (error.code !== "ECONNRESET") console.error(error);
    response.writeHead(500).end();
  });
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}  analyst@luzon.example / finer`));
