"""Contract files: what they mean, and clear errors with the place of a mistake."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.contract import compile_contract
from finer.ingest.rules.patterns import compile_program, matches
from finer.ingest.rules.plan import plan_of
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

BUILT_IN = [
    "academic_record", "activity", "customer_profile", "loan_history", "market_price", "order", "social_post",
    "system_metric", "telco_usage", "transaction", "utility_payment",
]  # fmt: skip


def _text(name: str) -> str:
    return resources.files("finer.ingest").joinpath("contracts", f"{name}.yaml").read_text("utf-8")


def test_the_built_in_contracts_have_their_columns_in_order() -> None:
    assert list(contracts.contracts()) == BUILT_IN
    schema = contracts.contract("transaction").schema
    assert schema.names == [
        "event_id", "type", "status", "occurred_at", "customer_id", "account_id", "card_last4", "amount_minor",
        "currency", "merchant_name", "merchant_id", "merchant_city", "merchant_state", "merchant_zip",
        "merchant_country", "mcc", "channel", "device_id", "counterparty_id", "state_code", "received_at",
    ]  # fmt: skip
    assert schema.field("amount_minor").type == pa.int64()
    assert schema.field("occurred_at").type == pa.timestamp("us", "UTC")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_field_says_what_it_is(name: str) -> None:
    document = yaml.safe_load(_text(name))
    assert document["apiVersion"] == "v3.0.2"
    assert document["description"]["purpose"]
    for field in contracts.contract(name).fields:
        assert field.description.endswith("."), field.name


def test_personal_data_is_classified() -> None:
    classes = {field.name: field.classification for field in contracts.contract("customer_profile").fields}
    assert classes["full_name"] == classes["date_of_birth"] == classes["email"] == "personal"
    assert classes["income_thousands"] == classes["gender"] == "sensitive"
    assert classes["customer_id"] == "pseudonymous"


def _changed(path: list[Any], value: Any) -> str:
    document = yaml.safe_load(_text("transaction"))
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return yaml.safe_dump(document)


_AMOUNT = ["schema", 0, "properties", 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "this is not YAML"),
        ("- 1", "must be a mapping"),
        (_changed(["version"], None), "version is missing"),
        (_changed(["kind"], "Thing"), "kind must be DataContract"),
        (_changed(["schema"], []), "exactly one object"),
        (_changed(["schema", 0, "properties"], []), "must be a list of fields"),
        (_changed([*_AMOUNT, "name"], "a b"), r"properties\[7\].*plain identifier"),
        (_changed([*_AMOUNT, "logicalType"], "array"), r"properties\[7\] \(amount\).*'array'"),
        (_changed([*_AMOUNT, "colour"], 1), r"\(amount\).*colour"),
        (_changed([*_AMOUNT, "logicalTypeOptions"], {"pattern": "x"}), "does not go with money"),
        (_changed([*_AMOUNT, "logicalTypeOptions"], {"minimum": "much"}), "'much' is not a money"),
        (_changed([*_AMOUNT, "customProperties"], []), "money needs customProperties currency"),
        (_changed([*_AMOUNT, "customProperties"], [{"property": "alias", "value": 1}]), "'alias' is not known"),
        (_changed(["schema", 0, "properties", 6, "logicalTypeOptions"], {"pattern": "(?=x)"}), "cannot be used"),
        (_changed(["schema", 0, "properties", 6, "name"], "amount"), "'amount' is used twice"),
        (_changed(["schema", 0, "properties", 5, "customProperties"],
                  [{"property": "derivedFrom", "value": "amount"}]), "derivedFrom"),
        (_changed(["schema", 0, "properties", 1, "quality"], [{"rule": "rowCount"}]), "validValues"),
        (_changed(["schema", 0, "quality"], [{"type": "sql", "query": "select"}]), "engine finer"),
        (_changed(["schema", 0, "customProperties"], [{"property": "fingerprint", "value": ["x"]}]), "'x' is not"),
    ],
)  # fmt: skip
def test_a_wrong_contract_names_the_place(text: str, message: str) -> None:
    with pytest.raises(ContractInvalid, match=message) as raised:
        compile_contract(text, "mine.yaml")
    assert raised.value.detail.startswith("mine.yaml")


def test_a_wrong_row_rule_names_itself() -> None:
    rule = {"type": "custom", "engine": "finer", "name": "odd", "implementation": "amont > 1", "description": "Why."}
    contract = compile_contract(_changed(["schema", 0, "quality"], [rule]), "mine.yaml")
    with pytest.raises(ContractInvalid, match=r"row rule odd.*amont"):
        plan_of(contract)


def test_row_rules_of_orders_are_told_with_their_values() -> None:
    good = (
        b'{"order_id":"1","type":"%s","occurred_at":"2026-01-01T00:00:00Z","product_id":"p","quantity":%d,'
        b'"unit_price":2.5,"currency":"GBP","amount":%s}'
    )
    rows = [
        good % (b"placed", 2, b"5"),
        good % (b"returned", -2, b"-5.00"),
        good % (b"cancelled", 2, b"5"),
        good % (b"placed", 2, b"5.02"),
        good % (b"adjustment", -2, b"-5"),
        good % (b"adjustment", 0, b"0"),
    ]
    parsed = parsing.parse_body(contracts.contract("order"), Body(data=b"\n".join(rows)), NOW)
    assert parsed.batch.column("amount_minor").to_pylist() == [500, -500, -500]
    assert [(record.line, [error.rule for error in record.errors]) for record in parsed.refused] == [
        (3, ["sign_matches_type"]),
        (4, ["amount_is_quantity_times_price"]),
        (6, ["quantity_not_zero"]),
    ]
    assert parsed.refused[0].errors[0].value == "type=cancelled, quantity=2"
    assert parsed.refused[0].raw == rows[2]


def test_what_a_unit_cost_is_known_or_not_and_never_negative() -> None:
    sold = (
        b'{"order_id":"1","type":"%s","occurred_at":"2026-01-01T00:00:00Z","product_id":"p","quantity":%d,'
        b'"unit_price":1.5,"amount":%s,"currency":"GBP"%s}'
    )
    costs = (b"", b',"unit_cost":null', b',"unit_cost":0', b',"unitCost":1.25', b',"unit_cost":99', b',"unit_cost":-1')
    rows = [sold % (b"paid", 2, b"3", cost) for cost in costs]
    rows += [sold % (b"returned", -2, b"-3", b',"unit_cost":1.25'), sold % (b"paid", 2, b"3", b',"unit_cost":0.001')]
    parsed = parsing.parse_body(contracts.contract("order"), Body(data=b"\n".join(rows)), NOW)
    assert parsed.batch.column("unit_cost_minor").to_pylist() == [None, None, 0, 125, 9900, 125]
    assert [(record.line, [(error.field, error.rule) for error in record.errors]) for record in parsed.refused] == [
        (6, [("unit_cost", "range")]), (8, [("unit_cost", "money_precision")]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "fast", "good", "bad"),
    [
        ("[A-Z]{3}", True, ["USD"], ["US", "USDX", "usd", ""]),
        ("[0-9]{4}", True, ["0042"], ["42", "004a", "00422"]),
        ("^[a-z][a-z0-9_-]*$", True, ["a", "a-b_1"], ["", "1a", "A"]),
        (r"\d{2,4}", True, ["12", "1234"], ["1", "12345", "1a"]),
        ("ab?", True, ["a", "ab"], ["abb", "b"]),
        ("[A-Z]{2}[0-9]+", True, ["AB1"], ["AB", "A1"]),
        (r"a\.b", True, ["a.b"], ["axb"]),
        ("(a|b)+", False, ["abab"], ["abc", ""]),
        ("[^@]+@[^@]+", False, ["a@b"], ["a@", "@b"]),
        ("(a+)+", False, ["aaaa"], ["a" * 5000 + "b"]),
        ("a+b", False, ["aab"], ["ab1"]),
    ],
)
def test_patterns(pattern: str, fast: bool, good: list[str], bad: list[str]) -> None:
    program = compile_program(pattern)
    assert (program is not None) == fast
    assert all(matches(pattern, program, text) for text in good)
    assert not any(matches(pattern, program, text) for text in bad)


@given(st.sampled_from(["[A-Z]{3}", "[a-z][a-z0-9_-]*", r"\d{2,4}", "ab?", "[A-Z]{2}[0-9]+"]), st.text(max_size=6))
def test_pattern_programs_mean_what_the_expression_means(pattern: str, text: str) -> None:
    assert matches(pattern, compile_program(pattern), text) == matches(pattern, None, text)
