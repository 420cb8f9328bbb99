"""F5: pricing twenty rules over ten million labelled payments of the lake, by the job that the page of a rule starts.

The payments lie in a lake of their own, made once and deleted at the end. They are priced by `price_rule` itself:
the same compiled conditions as on live payments, against the live rules of the firm, against labels as they were known.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
import pyarrow as pa

from bench.support.report import report
from finer.app.job_types import Ground
from finer.app.pricing import price_rule
from finer.decisions.types.alerts import Action
from finer.fraud.service import rules
from finer.fraud.service import verdicts as fraud
from finer.fraud.service.rules import CAPACITY_PER_DAY
from finer.fraud.types import Price, RuleText
from finer.identity.service import tenants
from finer.kit import runs
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import API, NO_TENANT, WORKER, Database
from finer.kit.ids import new_id, read_id
from finer.kit.migration import migrate
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.runs import Run
from finer.kit.settings import Settings
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import DecisionColumns, Label, LakeBatch

DAYS, CHUNK, ACCOUNTS, MERCHANTS, SEED = 30, 500_000, 1_000_000, 20_000, 5
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=DAYS)
FRAUD_SHARE, FLAGGED_SHARE = 0.0084, 0.01
CONDITIONS = (
    "is_spending and amount_usd > 400",
    "is_spending and amount_usd > 1200",
    "is_spending and account.count_10s > 2",
    "is_spending and account.count_1h >= 6",
    "is_spending and account.count_24h > 12 and amount_usd > 50",
    "account.sum_24h > 250000 and channel = 'web'",
    "is_spending and account_device.count_ever = 1 and amount_usd > 150",
    "channel = 'atm' and merchant_country <> account.previous_country and account.seconds_since_previous < 3600",
    "is_small_spending and merchant.small_cards_10m >= 8",
    "is_night_spending and account.night_count_1h >= 3",
    "is_near_limit and account.near_limit_count_24h >= 2",
    "type = 'transfer' and account_payee.count_ever = 1 and amount_usd > 250",
    "is_spending and account.count_ever > 5 and amount_usd * 100 > account.mean_30d * 8",
    "merchant_country not in ('PH', 'US') and amount_usd > 200",
    "mcc in ('7995', '4829', '6051') and amount_usd > 100",
    "local_hour between 1 and 4 and amount_usd > 300",
    "merchant.count_10m > 60 and amount_usd < 20",
    "account.seconds_since_previous < 30 and channel = 'web'",
    "currency <> 'PHP' and channel = 'web' and amount_usd >= 500",
    "account.count_ever <= 2 and amount_usd > 350 and type <> 'deposit'",
)


def _choose(generator: np.random.Generator, words: tuple[str, ...], weights: tuple[float, ...], rows: int) -> pa.Array:
    codes = generator.choice(len(words), rows, p=np.array(weights) / sum(weights)).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(words)).cast(pa.string())


def _names(prefix: str, numbers: np.ndarray[Any, Any], known: int) -> pa.Array:
    words = pa.array([f"{prefix}{number:07d}" for number in range(known)])
    return words.take(pa.array(numbers))


def _events(generator: np.random.Generator, first: int, rows: int, payments: int) -> tuple[pa.RecordBatch, Any]:
    """Payments in the order of their times, spread evenly over the period; and their amounts in US cents."""
    span = (UNTIL - SINCE) / timedelta(microseconds=1)
    begin = int(SINCE.timestamp() * 1e6)
    at = begin + (np.arange(first, first + rows) * (span / payments)).astype(np.int64)
    account = generator.integers(0, ACCOUNTS, rows)
    cents = np.maximum(1, (generator.lognormal(3.4, 1.3, rows) * 100)).astype(np.int64)
    times = pa.array(at, pa.timestamp("us", "UTC"))
    columns = {
        "event_id": pa.array([f"{number:032x}" for number in range(first, first + rows)]),
        "occurred_at": times,
        "received_at": times,
        "type": _choose(generator, ("purchase", "transfer", "refund", "deposit"), (80, 12, 3, 5), rows),
        "customer_id": _names("c", account // 3, ACCOUNTS // 3 + 1),
        "account_id": _names("a", account, ACCOUNTS),
        "card_last4": _names("", account % 10_000, 10_000).cast(pa.string()),
        "amount_minor": pa.array(cents),
        "currency": _choose(generator, ("USD", "PHP"), (60, 40), rows),
        "merchant_id": _names("m", generator.zipf(1.3, rows) % MERCHANTS, MERCHANTS),
        "merchant_name": _names("Merchant ", generator.zipf(1.3, rows) % MERCHANTS, MERCHANTS),
        "merchant_city": _choose(generator, ("Manila", "Cebu", "Davao"), (6, 3, 1), rows),
        "merchant_country": _choose(generator, ("PH", "US", "SG", "GB", "NG"), (80, 8, 6, 4, 2), rows),
        "mcc": _choose(generator, ("5411", "5812", "5999", "4829", "7995", "6051"), (40, 30, 20, 5, 3, 2), rows),
        "channel": _choose(generator, ("pos", "web", "atm"), (55, 35, 10), rows),
        "device_id": _names("d", account, ACCOUNTS),
        "counterparty_id": _names("p", generator.integers(0, ACCOUNTS, rows), ACCOUNTS),
    }
    return pa.record_batch(columns), cents


def _features(generator: np.random.Generator, rows: int) -> dict[str, Any]:
    """Values of the windows as a firm has them: mostly small counts, now and then a burst."""
    found: dict[str, Any] = {}
    texts = set(fraud.windows().text_names)
    for one in fraud.windows().definitions:
        if one.name in texts:
            found[one.name] = generator.integers(1, 6, rows).astype(np.uint64)
        elif one.unit == "s":
            found[one.name] = generator.exponential(40_000, rows)
        elif one.unit:
            found[one.name] = generator.lognormal(8.5, 1.0, rows)
        else:
            found[one.name] = generator.geometric(0.45, rows).astype(np.float64)
    return found


def _batches(tenant: uuid.UUID, payments: int) -> Iterator[tuple[LakeBatch, list[Label]]]:
    """The payments as the pipeline hands them to the lake, with what people later say of some of them."""
    generator = np.random.default_rng(SEED)
    for first in range(0, payments, CHUNK):
        rows = min(CHUNK, payments - first)
        events, cents = _events(generator, first, rows, payments)
        fired = (generator.random(rows) < FLAGGED_SHARE).astype(np.uint64)
        decided = DecisionColumns(
            actions=(fired * np.uint64(Action.REVIEW)).astype(np.uint8), fired=fired, rule_ids=("high_amount",),
            scores=generator.beta(0.3, 30, rows).astype(np.float32),
            features={"amount_usd_minor": cents.astype(np.float64)} | _features(generator, rows),
            exact=fraud.exact_columns(), feature_set=fraud.windows().version, rule_pack="bench", model="0" * 12,
        )  # fmt: skip
        chance = generator.random(rows)
        judged = pa.array(np.flatnonzero(chance < 2 * FRAUD_SHARE))
        found = events.select(["event_id", "occurred_at"]).take(judged).to_pylist()
        labels = [
            Label(one["event_id"], one["occurred_at"], "confirmed_fraud" if fraudulent else "dismissed",
                  one["occurred_at"] + timedelta(days=2), "bench")
            for one, fraudulent in zip(found, (chance[judged] < FRAUD_SHARE).tolist(), strict=True)
        ]  # fmt: skip
        batch = LakeBatch(
            tenant=tenant, stream="transaction", partition=0, next_offset=first + rows, events=events,
            offsets=np.arange(first, first + rows), decisions=decided,
        )  # fmt: skip
        yield batch, labels


def _fill(url: str, settings: Settings, tenant: uuid.UUID, payments: int) -> int:
    """Bring the payments into the lake in commits of half a million; returns how many labels there are."""
    access, writer, labels = warehouse.LakeAccess(url, settings), warehouse.LakeWriter(url, settings), 0
    for batch, judged in _batches(tenant, payments):
        writer.put(batch)
        if not writer.flush(300):
            raise RuntimeError(f"The lake does not take what is written: {writer.problem}")
        warehouse.append_labels(access, tenant, judged)
        labels += len(judged)
    writer.close()
    return labels


def _price(database: Database, ground: Ground, tenant: uuid.UUID) -> tuple[float, list[Price]]:
    """Write the rules, ask for their prices, and let the job do it; returns its seconds and what it found."""
    analyst = Actor(kind="user", id=str(new_id()), name="Analyst", role="risk_analyst")
    with database.transaction(tenant, analyst) as tx:
        drafts = [
            rules.create(tx, f"rule_{number}", RuleText(title=f"Rule {number}", condition=condition,
                         action=Action.REVIEW, reason="It is {amount_usd:usd}."), "")
            for number, condition in enumerate(CONDITIONS, 1)
        ]  # fmt: skip
        begun = rules.begin_prices(tx, [(one.id, 1) for one in drafts], DAYS, CAPACITY_PER_DAY)[0].price
        record = None if begun is None else runs.get(tx, read_id("run", begun.run))
    if record is None:
        raise RuntimeError("The prices were not begun.")
    began = time.perf_counter()
    price_rule(ground, Run(record, tenant))
    seconds = time.perf_counter() - began
    with database.transaction(tenant, analyst) as tx:
        found = [rules.get_version(tx, one.id).price for one in drafts]
    return seconds, [one for one in found if one is not None]


@click.command()
@click.option("--payments", type=click.IntRange(10_000, 10_000_000), default=10_000_000, show_default=True)
def main(payments: int) -> None:
    """Make the lake, price the rules, print the row."""
    with tempfile.TemporaryDirectory(prefix="finer-f5-") as folder:
        settings = Settings(data_dir=folder, lake_flush_s=0.05)
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            migrate(server.url)
            keys = Keyring(KeyFile(Path(folder) / "master.key"))
            clock = FixedClock(UNTIL)
            database = Database(server.url, API, connections=2, clock=clock, keys=keys)
            worker = Database(server.url, WORKER, connections=2, clock=clock, keys=keys)
            with database.transaction(NO_TENANT, SYSTEM) as tx:
                keys.establish(tx)
            with database.transaction(new_id(), SYSTEM) as tx:
                firm = tenants.create_tenant(tx, slug="acme", name="Acme", base_currency="PHP", timezone="Asia/Manila")
            began = time.perf_counter()
            labels = _fill(server.url, settings, firm.id, payments)
            made = time.perf_counter() - began
            stored = sum(file.stat().st_size for file in settings.data_path.rglob("*.parquet"))
            seconds, found = _price(database, Ground(worker, server.url, settings), firm.id)
            worker.close()
            database.close()
        finally:
            server.stop()
    whole = len(found) == len(CONDITIONS) and all((one.state, one.events) == ("done", payments) for one in found)
    figures = {
        "seconds": seconds,
        "payments": float(found[0].events),
        "rules": float(len(found)),
        "hits": float(sum(one.hits for one in found)),
        "labels": float(labels),
        "payments_per_s": payments / seconds,
        "lake_mb": stored / 2**20,
        "seconds_to_make": made,
        "rss_mb": psutil.Process().memory_info().rss / 2**20,
    }
    report("F5", figures, "<= 60 s for 10 M", whole and seconds <= 60 and payments == 10_000_000,
           settings={"days": DAYS, "live_rules": 10, "priced_rules": len(CONDITIONS)})  # fmt: skip


if __name__ == "__main__":
    main()
