"""What differs between two versions of a contract: the kind of each change, whom it breaks, what version it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.ingest.rules.contract import check_contract
from finer.ingest.rules.evolution import compare, lost_to_finer, not_publishable
from finer.ingest.service import contracts, parsing
from finer.ingest.types.contracts import Level
from finer.ingest.types.records import Body
from tests.ingest.contract_texts import document, field, text
from tests.ingest.records import line

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD = contracts.contract("transaction")
Edit = Callable[[dict[str, Any]], object]


def _properties(found: dict[str, Any]) -> list[dict[str, Any]]:
    properties: list[dict[str, Any]] = found["schema"][0]["properties"]
    return properties


def _custom(name: str, key: str, value: Any) -> Edit:
    def edit(found: dict[str, Any]) -> None:
        item = field(found, name)
        kept = [one for one in item.get("customProperties", []) if one["property"] != key]
        item["customProperties"] = kept if value is None else [*kept, {"property": key, "value": value}]

    return edit


def _option(name: str, **options: Any) -> Edit:
    def edit(found: dict[str, Any]) -> None:
        held = field(found, name).setdefault("logicalTypeOptions", {})
        held.update(options)
        for key in [key for key, value in held.items() if value is None]:
            del held[key]

    return edit


def _add(**more: Any) -> Edit:
    return lambda found: _properties(found).append({"name": "extra", "logicalType": "string", **more})


def _remove(name: str) -> Edit:
    return lambda found: _properties(found).remove(field(found, name))


def _put(name: str, key: str, value: Any) -> Edit:
    return lambda found: field(found, name).update({key: value})


def _values(name: str, *values: str) -> Edit:
    return _put(name, "quality", [{"type": "library", "rule": "validValues", "mustBe": list(values)}])


def _rule(found: dict[str, Any]) -> None:
    rule = {"type": "custom", "engine": "finer", "name": "small", "description": "S."}
    found["schema"][0]["quality"] = [rule | {"implementation": "amount_minor < 100"}]


def _number(found: dict[str, Any]) -> None:
    field(found, "mcc").update(logicalType="integer", logicalTypeOptions={})


_FILLED = [{"property": "default", "value": "x"}]
_TYPES = ("purchase", "withdrawal", "transfer", "payment", "refund", "deposit", "fee")


@pytest.mark.parametrize(
    ("edit", "kind", "level", "backward", "forward"),
    [
        (_add(), "optional_field_added", "minor", True, True),
        (_add(required=True), "required_field_added", "major", False, True),
        (_add(required=True, customProperties=_FILLED), "optional_field_added", "minor", True, True),
        (_remove("mcc"), "field_removed", "major", True, False),
        (_number, "type_changed", "major", False, False),
        (_put("mcc", "required", True), "became_required", "major", False, True),
        (_put("status", "required", False), "became_optional", "minor", True, False),
        (_option("amount", maximum=500), "range_narrowed", "major", False, True),
        (_option("amount", minimum=None, exclusiveMinimum=False), "range_widened", "minor", True, False),
        (_option("amount", minimum=0, exclusiveMinimum=False), "range_widened", "minor", True, False),
        (_option("amount", minimum=5, maximum=900000000000), "range_narrowed", "major", False, False),
        (_option("occurred_at", minimum="2020-01-01T00:00:00Z"), "range_narrowed", "major", False, True),
        (_option("merchant_city", maxLength=10), "range_narrowed", "major", False, True),
        (_option("merchant_city", maxLength=999), "range_widened", "minor", True, False),
        (_values("type", *_TYPES[:-1]), "values_removed", "major", False, True),
        (_values("type", *_TYPES, "gift"), "values_added", "minor", True, False),
        (_values("merchant_city", "Cebu"), "values_restricted", "major", False, True),
        (_put("channel", "quality", []), "values_opened", "minor", True, False),
        (_option("mcc", pattern="[0-9]{3,4}"), "pattern_changed", "major", False, False),
        (_option("mcc", pattern=None), "pattern_removed", "minor", True, False),
        (_option("device_id", pattern="[a-z]+"), "pattern_changed", "major", False, True),
        (_custom("amount", "aliases", None), "alias_removed", "major", False, True),
        (_custom("mcc", "aliases", ["category"]), "alias_added", "minor", True, True),
        (_custom("type", "foldCase", None), "reading_narrowed", "major", False, True),
        (_custom("mcc", "fromNumber", True), "reading_widened", "minor", True, True),
        (_custom("currency", "default", "EUR"), "default_changed", "minor", True, True),
        (_custom("currency", "default", None), "became_required", "major", False, True),
        (_put("mcc", "classification", "personal"), "classification_changed", "minor", True, True),
        (_rule, "rule_added", "major", False, True),
        (_put("mcc", "description", "Other."), "description_changed", "patch", True, True),
        (lambda found: found.update(team=[{"name": "Ops", "role": "owner"}]), "about_changed", "patch", True, True),
    ],
)  # fmt: skip
def test_a_change_is_told_with_whom_it_breaks(edit: Edit, kind: str, level: str, backward: bool, forward: bool) -> None:
    found = document()
    edit(found)
    comparison = compare(OLD, check_contract(text(found), "new"))
    assert [one.kind for one in comparison.changes] == [kind]
    (change,) = comparison.changes
    assert (change.level.value, change.backward, change.forward) == (level, backward, forward)
    assert change.sentence.endswith(".")
    wanted = {"major": "2.0.0", "minor": "1.1.0", "patch": "1.0.1"}[level]
    assert comparison.lowest_version == wanted


@pytest.mark.parametrize(("name", "version"), list(contracts.earlier_texts()))
def test_a_built_in_contract_takes_what_its_earlier_versions_took(name: str, version: str) -> None:
    earlier = check_contract(contracts.earlier_texts()[name, version], name)
    found = compare(earlier, contracts.contract(name))
    assert (earlier.version, found.backward, found.forward) == (version, True, True)
    assert [int(part) for part in contracts.contract(name).version.split(".")] >= [
        int(part) for part in found.lowest_version.split(".")
    ]


def test_the_same_text_changes_nothing() -> None:
    comparison = compare(OLD, check_contract(text(document()), "new"))
    assert (comparison.level, comparison.changes) == (Level.NONE, ())


_LIMITS = st.sampled_from([None, 0, 1, 100, 1000])


@given(_LIMITS, _LIMITS, st.booleans(), _LIMITS, _LIMITS, st.booleans())
def test_a_backward_change_of_limits_takes_all_that_was_taken(
    low: int | None, high: int | None, open_low: bool, new_low: int | None, new_high: int | None, new_open: bool
) -> None:
    versions = []
    for minimum, maximum, exclusive in ((low, high, open_low), (new_low, new_high, new_open)):
        found = document()
        edit = _option("amount", minimum=minimum, maximum=maximum, exclusiveMinimum=exclusive, exclusiveMaximum=None)
        edit(found)
        versions.append(check_contract(text(found), "v"))
    comparison = compare(*versions)
    body = Body(data=b"\n".join(line(event_id=f"e{i}", amount=i) for i in (0, 1, 2, 99, 100, 101, 999, 1000, 1001)))
    old, new = (set(parsing.parse_body(one, body, NOW).batch.column("event_id").to_pylist()) for one in versions)
    if comparison.backward:
        assert old <= new
    if comparison.forward:
        assert new <= old


def test_what_finer_reads_has_to_stay() -> None:
    found = document()
    _remove("account_id")(found)
    found["schema"][0]["customProperties"][0]["value"].remove("account_id")
    _remove("mcc")(found)
    _put("occurred_at", "description", "x.")(found)
    field(found, "customer_id")["required"] = False
    draft = check_contract(text(found), "draft")
    assert [sentence.split()[0] for sentence in lost_to_finer(OLD, draft)] == ["customer_id", "account_id"]


@pytest.mark.parametrize(
    ("edit", "said"), [(_number, "mcc changes its type"), (_add(classification="personal"), "extra is classified")]
)
def test_what_the_lake_or_an_erasure_could_not_follow_is_not_published(edit: Edit, said: str) -> None:
    found = document("transaction")
    edit(found)
    [sentence] = not_publishable([OLD], OLD, check_contract(text(found), "transaction"))
    assert sentence.startswith(said)
    assert not_publishable([OLD], OLD, OLD) == []


def test_a_built_in_field_is_not_made_personal() -> None:
    found = document(version="2.0.0")
    field(found, "merchant_name")["classification"] = "personal"
    [sentence] = not_publishable([OLD], OLD, check_contract(text(found), "transaction"))
    assert sentence.startswith("merchant_name is classified personal")


def test_a_built_in_field_is_not_shown_to_more_people() -> None:
    found = document(version="2.0.0")
    field(found, "card_last4")["classification"] = "public"
    [sentence] = not_publishable([OLD], OLD, check_contract(text(found), "transaction"))
    assert sentence.startswith("card_last4 is classified public, which shows it to more people")
