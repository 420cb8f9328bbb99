"""Each rule of the default pack fires on its pattern and not beside it: records, windows, conditions, sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import lightgbm
import numpy as np
import pytest

from finer.decisions.types.alerts import Decision, NewAlert
from finer.features.service import Engine
from finer.fraud.rules.examples import example
from finer.fraud.rules.pack import RULES
from finer.fraud.rules.rule_set import catalogue
from finer.fraud.service import verdicts as fraud
from finer.fraud.service.rule_sets import feature_types
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body
from finer.kit.columns import Columns
from finer.kit.conditions.condition import parse_condition
from finer.ledger.rules import RateTable, starter_rates
from finer.scoring.rules.trees import TreeScorer

MANILA = ZoneInfo("Asia/Manila")
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)  # in Manila
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RATES = RateTable(starter_rates())
Record = dict[str, Any]


def pay(at: datetime, amount: float = 20, **changes: Any) -> Record:
    """An everyday payment: in the shop of always, with the phone of always."""
    return {
        "occurred_at": at.isoformat(),
        "customer_id": "c1",
        "account_id": "a1",
        "card_last4": "1111",
        "amount": amount,
        "currency": "USD",
        "merchant_name": "Corner Shop",
        "merchant_country": "PH",
        "channel": "pos",
        "device_id": "phone",
    } | changes


@dataclass
class Judged:
    """What became of one record."""

    action: str
    rules: list[str]
    reasons: list[str]


@dataclass
class Batch:
    columns: Columns
    verdicts: fraud.Verdicts
    alerts: list[NewAlert]
    decisions: list[Decision]


def run(
    records: Iterable[Record],
    *,
    engine: Engine | None = None,
    awaited: bytes | None = None,
    model: fraud.ActiveModel | None = None,
    fresh: Any = None,
) -> Batch:
    """Records as NDJSON through contract, derived columns, windows, rules, and what is stored."""
    numbered = [{"event_id": f"e{number}"} | record for number, record in enumerate(records)]
    data = "\n".join(json.dumps(record) for record in numbered).encode()
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=data, awaited=awaited), NOON + 400 * DAY)
    assert [refused.errors for refused in parsed.refused] == []
    columns = Columns(parsed.batch)
    fraud.derive(columns, RATES, MANILA)
    (engine or Engine(fraud.windows(), pool_events=4096)).step(columns, 7)
    verdicts = fraud.evaluate(columns, model)
    new = np.ones(columns.rows, np.bool_) if fresh is None else fresh
    found = fraud.verdicts_to_store(columns, np.arange(columns.rows), 0, verdicts, new, model, NOON)
    return Batch(columns, verdicts, found.alerts, found.decisions)


def judge(*records: Record) -> list[Judged]:
    """The verdict on each record, in order."""
    raised = {alert.event_id: alert.verdict for alert in run(records).alerts}
    judged = []
    for number in range(len(records)):
        verdict = raised.get(f"e{number}")
        if verdict is None:
            judged.append(Judged("approve", [], []))
        else:
            judged.append(Judged(verdict.action, [rule.id for rule in verdict.rules], verdict.reasons))
    return judged


def last(*records: Record) -> Judged:
    """The verdict on the last record; those before it must be approved, or the pattern is not what was meant."""
    *before, final = judge(*records)
    assert [one.rules for one in before] == [[] for _ in before]
    return final


def habit(count: int, amount: float = 20, apart: timedelta = HOUR, **changes: Any) -> list[Record]:
    """`count` everyday payments before noon, the last one an hour before."""
    return [pay(NOON - number * apart, amount, **changes) for number in range(count, 0, -1)]


def burst(count: int, start: datetime, apart: timedelta, **changes: Any) -> list[Record]:
    return [pay(start + number * apart, **changes) for number in range(count)]


def small_cards(count: int, **changes: Any) -> list[Record]:
    """`count` cards of as many people, each with a small amount at one merchant, ten seconds apart."""
    return [
        pay(NOON + 10 * number * SECOND, 1, account_id=f"a{number}", card_last4=f"{number:04}", **changes)
        for number in range(count)
    ]


def near(*amounts: float, apart: timedelta = HOUR) -> list[Record]:
    return [pay(NOON + number * apart, amount) for number, amount in enumerate(amounts)]


def to_payee(at: datetime, amount: float, payee: str = "p1", kind: str = "transfer") -> Record:
    return pay(at, amount, type=kind, counterparty_id=payee, channel="transfer", merchant_country=None)


PATTERNS: dict[str, tuple[str, list[Record]]] = {
    "high_amount": ("review", [pay(NOON, 800.01)]),
    "velocity_10s": ("block", burst(4, NOON, 3 * SECOND)),
    "new_device_high_amount": (
        "block",
        # Somebody else has paid with that tablet before.
        [pay(NOON - HOUR, account_id="a2", device_id="tablet"), *habit(5, 100), pay(NOON, 300.01, device_id="tablet")],
    ),
    "country_change_too_fast": (
        "block",
        [pay(NOON), pay(NOON + timedelta(seconds=7199), merchant_country="SG", merchant_name="Airport")],
    ),
    "many_cards_one_merchant": ("block", small_cards(12)),
    "night_burst": ("review", burst(5, NOON + 14 * HOUR, 14 * MINUTE)),
    "structuring": ("review", near(700, 640, 800)),
    "first_payee_high_amount": ("review", [to_payee(NOON, 500.01)]),
    # Ten times the mean of the month, this payment included, is 272.73 USD.
    "far_above_habit": ("review", [*habit(20, 15, DAY), pay(NOON, 273)]),
    "no_exchange_rate": ("review", [pay(NOON, 5000, currency="ZMW")]),
}

BESIDE: list[tuple[str, list[Record]]] = [
    ("high_amount: the limit itself", [pay(NOON, 800)]),
    ("velocity_10s: three", burst(3, NOON, SECOND)),
    ("velocity_10s: the first has just left the window", [pay(NOON), *burst(3, NOON + 8 * SECOND, SECOND)]),
    ("velocity_10s: four accounts", [pay(NOON, account_id=f"a{number}") for number in range(4)]),
    ("new_device: the known one", [*habit(5, 100), pay(NOON, 300.01)]),
    ("new_device: the limit itself", [*habit(5, 100), pay(NOON, 300, device_id="tablet")]),
    ("new_device: a young account", [*habit(4, 100), pay(NOON, 300.01, device_id="tablet")]),
    ("new_device: no device is told", [*habit(5, 100), pay(NOON, 300.01, device_id=None)]),
    ("country_change: two hours", [pay(NOON), pay(NOON + 2 * HOUR, merchant_country="SG")]),
    ("country_change: the same country", [pay(NOON), pay(NOON + MINUTE)]),
    ("country_change: online", [pay(NOON), pay(NOON + MINUTE, merchant_country="SG", channel="web")]),
    ("country_change: no country is told", [pay(NOON), pay(NOON + MINUTE, merchant_country=None)]),
    ("many_cards: eleven", small_cards(11)),
    (
        "many_cards: eleven, one of them twice",
        [*small_cards(11), pay(NOON + 3 * MINUTE, 1, account_id="a0", card_last4="0000")],
    ),
    ("many_cards: the twelfth is not small", [*small_cards(11), pay(NOON + 3 * MINUTE, 5, account_id="b")]),
    ("many_cards: at two merchants", [*small_cards(6), *small_cards(12, merchant_name="Kiosk")[6:]]),
    (
        "many_cards: a busy merchant",
        [*(pay(NOON, account_id=f"b{number}") for number in range(12)), *small_cards(12)],
    ),
    ("night_burst: four", burst(4, NOON + 14 * HOUR, MINUTE)),
    ("night_burst: by day", burst(5, NOON, MINUTE)),
    ("night_burst: the first was an hour ago", burst(5, NOON + 14 * HOUR, 15 * MINUTE)),
    ("night_burst: the fifth is at five o'clock", burst(5, NOON + 17 * HOUR - 40 * MINUTE, 10 * MINUTE)),
    ("structuring: two", near(700, 640)),
    ("structuring: not round", near(700, 640, 795)),
    ("structuring: under the range", near(700, 640, 630)),
    ("structuring: the first was a day ago", near(700, 640, 800, apart=12 * HOUR)),
    ("first_payee: the limit itself", [to_payee(NOON, 500)]),
    ("first_payee: a known one", [to_payee(NOON, 20), to_payee(NOON + HOUR, 500.01)]),
    ("first_payee: no transfer", [to_payee(NOON, 500.01, kind="payment")]),
    ("far_above_habit: ten payments in all", [*habit(9, 10), pay(NOON, 250)]),
    ("far_above_habit: the limit itself", [*habit(20, 5), pay(NOON, 200)]),
    ("far_above_habit: not quite ten times", [*habit(20, 15, DAY), pay(NOON, 272)]),
    ("far_above_habit: the habit is a month old", [*habit(20, 10), pay(NOON + 31 * DAY, 250)]),
    ("no_exchange_rate: a known currency", [pay(NOON, 100, currency="EUR")]),
]


INCOMING = ("refund", "deposit")
# What is about money that comes in as much as about money that leaves, or about neither.
BOTH_WAYS = {"structuring", "no_exchange_rate"}


@pytest.mark.parametrize("kind", INCOMING)
@pytest.mark.parametrize("rule", sorted(PATTERNS.keys() - BOTH_WAYS - {"first_payee_high_amount"}))
def test_no_rule_about_spending_fires_on_money_that_comes_in(rule: str, kind: str) -> None:
    *before, final = PATTERNS[rule][1]
    assert last(*before, final | {"type": kind}) == Judged("approve", [], [])


@pytest.mark.parametrize("kind", INCOMING)
@pytest.mark.parametrize("rule", ["velocity_10s", "many_cards_one_merchant", "night_burst"])
def test_money_that_comes_in_does_not_count_as_payments(rule: str, kind: str) -> None:
    *before, final = PATTERNS[rule][1]
    assert last(*(record | {"type": kind} for record in before), final) == Judged("approve", [], [])


def test_a_salary_does_not_hide_an_unusual_payment() -> None:
    salary = pay(NOON - 2 * DAY, 9000, type="deposit", merchant_name=None)
    habit_, final = habit(20, 15, DAY), pay(NOON, 273)
    found = last(*sorted([*habit_, salary], key=lambda record: str(record["occurred_at"])), final)
    assert found.rules == ["far_above_habit"]


def test_a_refund_from_abroad_is_no_journey() -> None:
    refund = pay(NOON + HOUR, 20, type="refund", merchant_country="SG", merchant_name="Airport")
    assert judge(pay(NOON), refund, pay(NOON + 2 * HOUR)) == [Judged("approve", [], [])] * 3


def test_a_payee_who_once_sent_money_was_never_paid() -> None:
    received = pay(NOON, 20, type="deposit", counterparty_id="p1", channel="transfer", merchant_country=None)
    assert last(received, to_payee(NOON + HOUR, 500.01)).rules == ["first_payee_high_amount"]


@pytest.mark.parametrize("kind", INCOMING)
def test_cash_that_comes_in_just_under_a_limit_is_structuring(kind: str) -> None:
    assert last(*(record | {"type": kind} for record in near(700, 640, 800))).rules == ["structuring"]


def test_every_rule_of_the_pack_has_a_pattern_here() -> None:
    assert {rule.id for rule in fraud.list_rules()} == {*PATTERNS, "model_score"}


@pytest.mark.parametrize("rule", PATTERNS)
def test_a_rule_fires_on_its_pattern_and_alone(rule: str) -> None:
    action, records = PATTERNS[rule]
    found = last(*records)
    assert (found.action, found.rules) == (action, [rule])


@pytest.mark.parametrize(("beside", "records"), BESIDE, ids=[name for name, _ in BESIDE])
def test_nothing_fires_beside_the_pattern(beside: str, records: list[Record]) -> None:
    assert last(*records) == Judged("approve", [], [])


@pytest.mark.parametrize("rule", PATTERNS)
def test_a_reason_is_a_sentence_with_its_values(rule: str) -> None:
    (reason,) = last(*PATTERNS[rule][1]).reasons
    assert re.fullmatch(r"[A-Z0-9].{30,}\.", reason)
    assert not re.search(r"[{}]|unknown|None|nan", reason)


def test_reasons_say_the_values_that_were_decided_on() -> None:
    assert last(*PATTERNS["high_amount"][1]).reasons == ["The amount of 800.01 USD is above the limit of 800 USD."]
    assert "the 4th payment of the account within 10 seconds" in last(*PATTERNS["velocity_10s"][1]).reasons[0]
    assert "120 minutes before this payment in SG" in last(*PATTERNS["country_change_too_fast"][1]).reasons[0]
    assert last(*PATTERNS["many_cards_one_merchant"][1]).reasons[0].startswith("12 different cards")


def test_whoever_pays_an_ordinary_amount_where_cards_are_tested_is_let_through() -> None:
    *_, tester, customer = judge(*small_cards(12), pay(NOON + 3 * MINUTE, 5, account_id="b"))
    assert (tester.rules, customer.rules) == (["many_cards_one_merchant"], [])


def test_several_rules_give_the_severest_action_and_every_reason() -> None:
    found = last(*burst(3, NOON, SECOND), pay(NOON + 3 * SECOND, 900))
    assert (found.action, found.rules) == ("block", ["high_amount", "velocity_10s"])
    assert len(found.reasons) == 2


@pytest.mark.parametrize(
    ("amount", "currency", "cents", "text"),
    [
        (150_000, "JPY", 100_500, "150,000 JPY (1,005.00 USD)"),
        (50_000, "PHP", 87_500, "50,000.00 PHP (875.00 USD)"),
        (800.5, "EUR", 88_055, "800.50 EUR (880.55 USD)"),
    ],
)
def test_amounts_of_other_currencies_are_compared_in_dollars(
    amount: float, currency: str, cents: int, text: str
) -> None:
    (alert,) = run([pay(NOON, amount, currency=currency)]).alerts
    assert alert.amount_usd_minor == cents
    assert text in alert.verdict.reasons[0]
    assert alert.currency == currency


@pytest.mark.parametrize(("amount", "currency"), [(119_400, "JPY"), (45_700, "PHP"), (799, "USD")])
def test_an_amount_under_the_limit_in_its_currency_is_approved(amount: float, currency: str) -> None:
    assert last(pay(NOON, amount, currency=currency)).rules == []


def test_an_unknown_currency_is_reviewed_whatever_the_amount() -> None:
    (alert,) = run([pay(NOON, 1, currency="ZMW")]).alerts
    assert (alert.action, alert.rules, alert.amount_usd_minor) == ("review", ["no_exchange_rate"], None)
    assert "no exchange rate for ZMW" in alert.verdict.reasons[0]


def test_windows_of_several_currencies_add_up_in_dollars() -> None:
    found = run([pay(NOON, 10), pay(NOON + HOUR, 1000, currency="PHP"), pay(NOON + 2 * HOUR, 1000, currency="JPY")])
    assert found.columns.values("account.sum_24h").tolist() == [1000, 1000 + 1750, 1000 + 1750 + 670]


def test_the_state_of_the_windows_goes_on_from_batch_to_batch() -> None:
    engine = Engine(fraud.windows(), pool_events=4096)
    records = burst(4, NOON, SECOND)
    raised = [run([record], engine=engine).alerts for record in records]
    assert [len(alerts) for alerts in raised] == [0, 0, 0, 1]


def test_only_new_records_raise_alerts() -> None:
    fresh = np.array([True, False])
    assert [alert.event_id for alert in run([pay(NOON, 900), pay(NOON, 900)], fresh=fresh).alerts] == ["e0"]


def test_whoever_waits_gets_a_decision_for_approved_records_too() -> None:
    found = run([pay(NOON), pay(NOON, 900)], awaited=b"0123456789abcdef")
    assert [decision.verdict.action for decision in found.decisions] == ["approve", "review"]
    assert [decision.alert_id for decision in found.decisions] == [None, found.alerts[0].id]
    assert found.decisions[0].verdict.reasons == ["No rule fired."]
    assert found.decisions[0].verdict.features["account.count_10s"] == 1


def test_nobody_waits_for_records_in_bulk() -> None:
    found = run([pay(NOON), pay(NOON, 900)])
    assert (len(found.alerts), found.decisions) == (1, [])


def test_alerts_keep_the_versions_that_decided() -> None:
    (alert,) = run([pay(NOON, 900)]).alerts
    assert fraud.versions() == {"rule_pack": alert.verdict.rule_pack, "feature_set": alert.verdict.feature_set}
    assert alert.verdict.model is None


@pytest.fixture(scope="module")
def model() -> fraud.ActiveModel:
    """A model that has learnt that amounts above 100 are fraud."""
    random = np.random.default_rng(1)
    amounts = random.uniform(0, 200, (2000, 1))
    data = lightgbm.Dataset(amounts, (amounts[:, 0] > 100).astype(float), feature_name=["amount_usd"])
    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 4}
    text = lightgbm.train(parameters, data, 20).model_to_string()
    return fraud.ActiveModel("m1", "ab" * 32, 0.5, TreeScorer(text))


def test_the_model_asks_for_review_from_its_threshold_on(model: fraud.ActiveModel) -> None:
    found = run([pay(NOON, 20), pay(NOON + HOUR, 180)], model=model)
    assert found.verdicts.scores is not None
    assert found.verdicts.scores[0] < 0.5 < found.verdicts.scores[1]
    (alert,) = found.alerts
    assert (alert.event_id, alert.action, alert.rules) == ("e1", "review", ["model_score"])
    assert re.search(r"a probability of fraud of \d+\.\d %\.", alert.verdict.reasons[0])
    assert alert.verdict.model == "ab" * 6


def test_a_column_that_is_not_known_is_missing_to_the_model(model: fraud.ActiveModel) -> None:
    (alert,) = run([pay(NOON, 180, currency="ZMW")], model=model).alerts
    assert alert.rules[0] == "no_exchange_rate"
    assert alert.verdict.score is not None


@pytest.mark.parametrize("zone", ["Asia/Manila", "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "UTC"])
@pytest.mark.parametrize("days", [1, 400])
def test_the_local_hour_is_that_of_the_calendar(zone: str, days: int) -> None:
    random = Random(days)
    # Around the night in which Europe changes its clocks, and over a whole year.
    moments = [datetime(2026, 10, 25, tzinfo=UTC) + random.uniform(0, days) * DAY for _ in range(50)]
    data = "\n".join(json.dumps(pay(at)) for at in moments).encode()
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=data), NOON + 900 * DAY)
    columns = Columns(parsed.batch)
    fraud.derive(columns, RATES, ZoneInfo(zone))
    assert columns.values("local_hour").tolist() == [at.astimezone(ZoneInfo(zone)).hour for at in moments]


def test_the_reason_of_every_rule_reads_as_a_sentence_before_it_fired() -> None:
    known = catalogue(feature_types(), {})
    said = {rule.id: example(rule.reason, parse_condition(rule.condition, known).tree, known) for rule in RULES}
    assert not [one for one in said.values() if "{" in one or "unknown" in one]
    assert said["high_amount"] == "The amount of 1,000.00 USD is above the limit of 800 USD."
    assert said["velocity_10s"].startswith("This is the 4th payment of the account within 10 seconds")
    assert said["far_above_habit"].startswith("The amount is 12.0 times the account's mean")
    night = parse_condition("(3 <= local_hour and currency in ('THB', 'VND')) and not (score < 0.5)", known).tree
    template = "{currency} at {local_hour}, {account.sum_24h:count}, {account.previous_country}, {score:percent}."
    not_here = parse_condition("currency <> 'PHP' and amount > 100", known).tree
    assert example("{currency} of {merchant_country}", not_here, known) == "USD of FR"
    assert example(template, night, known) == "THB at 3, 250000, account.previous_country, 97.0 %."
