// An invented firm in Manila with its customers, cards and fraud: seeded, so that every start looks alike.

export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const MERCHANTS = [
  ["Jollibee SM North", "Quezon City", "PH"], ["Mercury Drug Ayala", "Makati", "PH"], ["Lazada", "Singapore", "SG"],
  ["Shopee Mall", "Taguig", "PH"], ["Grab", "Singapore", "SG"], ["Kopitiam Plaza Sing", "Singapore", "SG"],
  ["Petron Katipunan", "Quezon City", "PH"], ["Tokopedia", "Jakarta", "ID"], ["Indomaret Kemang", "Jakarta", "ID"],
  ["7-Eleven Sukhumvit 21", "Bangkok", "TH"], ["Central World", "Bangkok", "TH"], ["Vincom Center", "Ho Chi Minh City", "VN"],
  ["AirAsia", "Kuala Lumpur", "MY"], ["Pavilion Bukit Bintang", "Kuala Lumpur", "MY"], ["Cebu Pacific Air", "Pasay", "PH"],
  ["Robinsons Supermarket Ermita", "Manila", "PH"],
]; // biome-ignore format: a table.
const RATE = { PHP: 56, SGD: 1.34, IDR: 16200, THB: 35, VND: 25400, MYR: 4.4, USD: 1 };
const DIGITS = { VND: 0 };
const OF_COUNTRY = { PH: "PHP", SG: "SGD", ID: "IDR", TH: "THB", VN: "VND", MY: "MYR" };

export const RULES = {
  high_amount: ["High amount", "review"],
  velocity_10s: ["More than 3 payments in 10 seconds", "block"],
  new_device_high_amount: ["New device and high amount", "block"],
  country_change_too_fast: ["Country change faster than travel", "block"],
  many_cards_one_merchant: ["Many cards tested at one merchant", "block"],
  night_burst: ["Burst at night", "review"],
  structuring: ["Round amounts just under a limit", "review"],
  first_payee_high_amount: ["First payment to a payee, high amount", "review"],
  far_above_habit: ["Far above the account's habit", "review"],
};

export function money(minor, currency) {
  const digits = DIGITS[currency] ?? 2;
  return { minor, currency, text: `${(minor / 10 ** digits).toFixed(digits)} ${currency}` };
}

export function usd(major) {
  return money(Math.round(major * 100), "USD");
}

export function makeWorld(seed = 7) {
  const random = randomOf(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const hex = (n) => Array.from({ length: n }, () => Math.floor(random() * 16).toString(16)).join("");
  let serial = 0;

  function reasonOf(rule, text, worth, country) {
    const n = 4 + Math.floor(random() * 5);
    return {
      high_amount: `The amount, ${text}, is ${worth.toFixed(2)} USD, above the limit of 800 USD.`,
      velocity_10s: `This is the ${n}th payment of the account within 10 seconds; more than 3 is unusual.`,
      new_device_high_amount: `The account has never paid with this device before, and the amount is ${worth.toFixed(2)} USD.`,
      country_change_too_fast: `The account paid in another country ${10 + n} minutes before this payment in ${country}: faster than anyone travels.`,
      many_cards_one_merchant: `${12 + n} different cards paid small amounts at this merchant within 10 minutes.`,
      night_burst: `This is the ${n + 1}th payment of the account within an hour, at night.`,
      structuring: `This is the ${n}th round amount just under a limit within 24 hours.`,
      first_payee_high_amount: `The account sends ${worth.toFixed(2)} USD to a payee that it has never paid before.`,
      far_above_habit: `The amount is ${(3 + random() * 14).toFixed(1)} times the account's mean of the last 30 days.`,
    }[rule];
  }

  function alertAt(time) {
    const [name, city, country] = pick(MERCHANTS);
    const rule = pick(Object.keys(RULES));
    const rules = [rule];
    if (random() < 0.35) {
      const second = pick(Object.keys(RULES));
      if (second !== rule) rules.push(second);
    }
    const small = rule === "many_cards_one_merchant";
    const worth = small ? 1 + random() * 4 : 90 + random() ** 3 * 5200;
    const currency = OF_COUNTRY[country];
    const minor = Math.round(worth * RATE[currency] * 10 ** (DIGITS[currency] ?? 2));
    const amount = money(minor, currency);
    const action = rules.some((each) => RULES[each][1] === "block") ? "block" : "review";
    serial += 1;
    const account = `acc-${String(10_000 + Math.floor(random() * 5000))}`;
    return {
      id: `alr_${time.getTime().toString(16).padStart(12, "0")}7${hex(19)}`,
      state: "open",
      action,
      event_id: `evt-${hex(10)}`,
      occurred_at: new Date(time.getTime() - 300 - random() * 900).toISOString(),
      raised_at: time.toISOString(),
      account_id: account,
      customer_id: `cus-${account.slice(4)}`,
      card_last4: random() < 0.9 ? String(1000 + Math.floor(random() * 9000)) : null,
      amount,
      amount_usd: usd(worth),
      merchant_name: rule === "first_payee_high_amount" ? null : name,
      merchant_city: city,
      merchant_country: country,
      channel: pick(["pos", "web", "app", "atm"]),
      device_id: random() < 0.7 ? `dev-${hex(8)}` : null,
      rules: rules.map((id) => ({ id, title: RULES[id][0], action: RULES[id][1] })),
      reasons: rules.map((id) => reasonOf(id, amount.text, worth, country)),
      score: random() < 0.75 ? Math.round((0.4 + random() * 0.59) * 1000) / 1000 : null,
      resolution: null,
      version: 1,
      serial,
    };
  }

  function judge(alert, verdict, by, note, at) {
    return { ...alert, state: verdict, version: alert.version + 1, resolution: { by, at, note } };
  }

  /** History before `now`: most of it judged. */
  function history(now, size) {
    const alerts = [];
    for (let i = size; i > 0; i -= 1) {
      const at = new Date(now.getTime() - i * 95_000 * (0.6 + random() * 0.8));
      let alert = alertAt(at);
      if (i > size * 0.45 && random() < 0.86) {
        const verdict = alert.action === "block" && random() < 0.8 ? "confirmed_fraud" : "dismissed";
        const note =
          verdict === "dismissed" ? "Customer confirmed by phone." : "Card reported stolen the same day.";
        alert = judge(
          alert,
          verdict,
          pick(["Mei Tan", "Rafael Cruz"]),
          note,
          new Date(at.getTime() + 600_000).toISOString(),
        );
      }
      alerts.push(alert);
    }
    return alerts.sort((a, b) => a.raised_at.localeCompare(b.raised_at));
  }

  function detail(alert) {
    const mine = randomOf(alert.serial * 977);
    const at = Date.parse(alert.occurred_at);
    const timeline = Array.from({ length: 18 }, (_, i) => {
      const own = i === 13;
      const [name, , country] = MERCHANTS[Math.floor(mine() * MERCHANTS.length)];
      const minor = own ? alert.amount.minor : Math.round(alert.amount.minor * (0.03 + mine() * 0.3));
      return {
        event_id: own ? alert.event_id : `${alert.event_id}-${i}`,
        occurred_at: own
          ? alert.occurred_at
          : new Date(at + (i - 13) * (i > 13 ? 4000 : 9_700_000) * (0.5 + mine())).toISOString(),
        amount: money(minor, alert.amount.currency),
        merchant_name: own ? alert.merchant_name : name,
        merchant_country: own ? alert.merchant_country : country,
        channel: alert.channel,
        action: own ? alert.action : i > 13 && mine() < 0.5 ? "review" : "approve",
        this: own,
      };
    });
    const features = [
      [
        "account.count_10s",
        1 + Math.floor(mine() * 6),
        "payments",
        "Payments of the account in the last 10 seconds, this one included",
      ],
      [
        "account.count_1h",
        2 + Math.floor(mine() * 9),
        "payments",
        "Payments of the account in the last hour",
      ],
      [
        "account.mean_30d",
        Math.round(alert.amount_usd.minor / (2 + mine() * 8)) / 100,
        "USD",
        "Mean amount of the account over 30 days",
      ],
      [
        "account.seconds_since_previous",
        Math.round(mine() * 90_000) / 10,
        "s",
        "Time since the account's payment before",
      ],
      ["account.previous_country", "PH", null, "Country of the account's payment before"],
      ["account_device.count_ever", 1, "payments", "Payments of the account with this device so far"],
      [
        "merchant.small_cards_10m",
        Math.floor(mine() * 20),
        "cards",
        "Different cards with small amounts at the merchant in 10 minutes",
      ],
      ["account.near_limit_count_24h", null, "payments", "Round amounts just under a limit within 24 hours"],
    ].map(([name, value, unit, description]) => ({ name, value, unit, description }));
    const { serial: _, ...shown } = alert;
    return { ...shown, features, timeline };
  }

  return { random, pick, hex, alertAt, history, judge, detail };
}
