// Invented numbers of the flow and records that broke their contract.
const BREACHES = [
  ["transaction", "amount", "range", -120.5, "The amount must be greater than 0 and below 10,000,000."],
  [
    "transaction",
    "currency",
    "pattern",
    "php",
    "The currency must be three capital letters of ISO 4217, such as PHP.",
  ],
  ["transaction", "occurred_at", "type", "31/02/2026", "This is not a date and time in ISO 8601."],
  [
    "transaction",
    null,
    "json",
    '{"event_id": "evt-9f", "amount": ',
    "The line is not JSON: it ends in the middle of a value.",
  ],
  ["order", "quantity", "row_rule", 0, "The quantity must not be 0."],
  ["order", "order_id", "required", null, "The order has no order_id."],
  [
    "customer_profile",
    "citizenship_code",
    "allowed_values",
    "XX",
    "The code XX is not a country of ISO 3166.",
  ],
  [
    "activity",
    "kind",
    "allowed_values",
    "hover",
    "The kind must be one of page_view, search, product_view, add_to_cart, checkout.",
  ],
];

export function makePipeline(world) {
  const { random, pick, hex } = world;
  const started = Date.now();
  const totals = { transaction: 4_211_904, order: 320_705, customer_profile: 48_112, activity: 1_904_227 };
  const rates = { transaction: 842, order: 61, customer_profile: 0.4, activity: 377 };
  const shares = {
    transaction: [0.004, 0.0011],
    order: [0.011, 0.031],
    customer_profile: [0.02, 0.006],
    activity: [0.001, 0.0004],
  };

  const quarantine = Array.from({ length: 240 }, (_, i) => {
    const [contract, field, rule, value, reason] = pick(BREACHES);
    const errors = [{ field, rule, value, reason }];
    if (random() < 0.15) {
      errors.push({
        field: "event_id",
        rule: "length",
        value: "x".repeat(70),
        reason: "The event_id is longer than 64 characters.",
      });
    }
    const raw = {
      event_id: `evt-${hex(10)}`,
      occurred_at: "2026-11-20T05:12:44Z",
      customer_id: `cus-${hex(4)}`,
      amount: 1250.5,
      currency: "PHP",
    };
    if (field) raw[field] = value;
    return {
      id: `qua_${hex(32)}`, receipt_id: `rct_${hex(32)}`, contract, line: 1 + Math.floor(random() * 5000), errors,
      raw: field === null ? value : JSON.stringify(raw), received_at: new Date(started - i * 41_000).toISOString(),
    }; // biome-ignore format: short.
  });
  const receipts = Array.from({ length: 300 }, (_, i) => {
    const contract = pick(Object.keys(totals));
    const received = 100 + Math.floor(random() * 5000);
    const duplicate = Math.floor(received * shares[contract][0] * random() * 2);
    const bad = Math.floor(received * shares[contract][1] * random() * 2);
    const breach = BREACHES.find((each) => each[0] === contract);
    return {
      id: `rct_${hex(32)}`, contract, received, accepted: received - duplicate - bad, duplicate, quarantined: bad,
      state: i === 0 ? "processing" : "done", received_at: new Date(started - i * 7300).toISOString(), source: i % 9 ? "http" : "file",
      problems: bad ? [{ line: 12, field: breach[1], rule: breach[2], value: breach[3], reason: breach[4] }] : [],
    }; // biome-ignore format: short.
  });

  function document(empty) {
    const now = Date.now();
    const seconds = (now - started) / 1000;
    const wave = (at) => 1 + 0.18 * Math.sin(at / 21_000) + 0.07 * Math.sin(at / 3700);
    if (empty) {
      return {
        as_of: new Date(now).toISOString(), contracts: [], throughput: [], freshness: [],
        latency: { p50_ms: null, p95_ms: null, p99_ms: null }, lag: { events: 0 }, log: { events: 0, streams: 0 },
      }; // biome-ignore format: short.
    }
    const contracts = Object.keys(totals).map((contract) => {
      const received = Math.floor(totals[contract] + rates[contract] * seconds);
      const duplicate = Math.floor(received * shares[contract][0]);
      const quarantined = Math.floor(received * shares[contract][1]);
      return {
        contract, received, accepted: received - duplicate - quarantined, duplicate, quarantined,
        accepted_per_s: Math.round(rates[contract] * wave(now) * 10) / 10, last_event_at: new Date(now - 400).toISOString(),
      }; // biome-ignore format: short.
    });
    const throughput = Array.from({ length: 60 }, (_, i) => {
      const at = Math.floor(now / 5000) * 5000 - (59 - i) * 5000;
      return { at: new Date(at).toISOString(), events_per_s: Math.round(1280 * wave(at)) };
    });
    const table = (name, age, rows) => ({
      table: name,
      seconds: age,
      rows,
      newest: new Date(now - age * 1000).toISOString(),
    });
    return {
      as_of: new Date(now).toISOString(),
      contracts,
      throughput,
      latency: { p50_ms: 11.4 * wave(now), p95_ms: 38.2 * wave(now), p99_ms: 91 * wave(now) },
      freshness: [
        table("transaction", 1.8 * wave(now), 4_198_331), table("decision", 2.1 * wave(now), 4_198_331),
        table("order", 3.4, 308_112), table("activity", 2.4, 1_901_000), table("customer_profile", 94, 46_822),
      ], // biome-ignore format: short.
      lag: { events: Math.floor(40 * wave(now)) },
      log: { events: 4_198_371, streams: 4 },
    };
  }
  return { document, quarantine, receipts };
}
