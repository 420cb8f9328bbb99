"""Segments: who is in them is what the condition says of everybody's newest record, and each role sees its part."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.app.job_types import Ground
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.identity.types.access import Role
from finer.ingest.rules.contract import check_contract
from finer.ingest.service import contracts, drafts
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.conditions.condition import parse_condition
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.segments.service import segments
from finer.segments.types import CONTRACT
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeBatch
from tests.ingest import contract_texts
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

MARKETING, MANAGER, ENGINEER = Role.MARKETING_MANAGER, Role.CUSTOMER_MANAGER, Role.DATA_ENGINEER
ROWS, PEOPLE, FEW = 900, 240, 4
CITIES = ["Makati", "Cebu", "Davao", None]


@dataclass
class Bank:
    """A firm whose customers are in its lake, and people who ask over HTTP."""

    world: World
    driver: Driver
    worker: Database
    newest: pl.DataFrame
    """Everybody's newest record, erased people left out, with `age` and `today`."""

    def __post_init__(self) -> None:
        self._headers = {role: self.world.headers(role.value) for role in (MARKETING, MANAGER, ENGINEER)}

    def ask(self, role: Role, method: str, path: str, body: Any = b"", status: int = 200) -> Any:
        """The answer of the API to somebody of that role."""
        answer = self.driver.call(method, f"/api/v1{path}", self._headers[role], body)
        assert answer.status == status, answer.text
        return answer.json()

    def preview(self, role: Role, condition: str) -> Any:
        """How many a condition holds for."""
        return self.ask(role, "POST", "/segments/preview", {"condition": condition})

    def make(self, condition: str, role: Role = MARKETING, **more: Any) -> Any:
        """A new segment."""
        body = {"name": f"Segment {uuid.uuid4().hex[:8]}", "condition": condition} | more
        return self.ask(role, "POST", "/segments", body, 201)["segment"]

    def count(self) -> None:
        """What waits to be counted is counted, and then everything, as every day."""
        tenant, ground = self.world.firm.tenant.id, Ground(self.worker, self.worker.url, self.world.firm.settings)
        with self.worker.transaction(tenant, SYSTEM) as tx:
            runs.start(tx, segments.COUNT_JOB)
            waiting = [one.id for one in runs.under_way(tx) if one.job == segments.COUNT_JOB]
        for one in waiting:
            Runner(ground, JOBS).run(tenant, one)
        with self.worker.transaction(tenant, SYSTEM) as tx:
            assert not [one.job for one in runs.under_way(tx) if one.job == segments.COUNT_JOB]


def _records() -> pa.RecordBatch:
    draw = random.Random(59)
    start = datetime(2026, 5, 1, tzinfo=UTC)

    def some(values: list[Any]) -> list[Any]:
        return [draw.choice(values) for _ in range(ROWS)]

    born = [None, date(1990, 2, 28), date(2004, 2, 29), date(1961, 12, 31), datetime.now(UTC).date()]
    born += [date(draw.randrange(1940, 2007), draw.randrange(1, 13), draw.randrange(1, 29)) for _ in range(80)]
    # Four people of a place of their own, whose last records they are.
    few = ROWS - FEW
    erased = [f"erased-{i:020}" for i in range(9)]
    return pa.RecordBatch.from_pydict({
        "event_id": pa.array([f"e{i}" for i in range(ROWS)]),
        # Few moments, so that records of one moment meet and the later one in the log counts.
        "occurred_at": pa.array([start + timedelta(days=draw.randrange(5) if i < few else 9) for i in range(ROWS)],
                                pa.timestamp("us", "UTC")),
        "customer_id": pa.array([*some([f"CUST-{i:08}" for i in range(PEOPLE)] + erased)[FEW:],
                                 *(f"CUST-{i:08}" for i in range(FEW))]),
        "full_name": pa.array([f"Maria Clara Santos {i}" for i in range(ROWS)]),
        "email": pa.array([f"maria{i}@example.com" for i in range(ROWS)]),
        "date_of_birth": pa.array(some(born), pa.date32()),
        "city": pa.array([*some(CITIES)[FEW:], *["Baguio"] * FEW], pa.string()),
        "income_thousands": pa.array(some([None, 0.0, 12.5, 53.2, 250.0, 900.0]), pa.float64()),
        "market_segment": pa.array(some(["Retail", "retail", "Affluent", "it's", None]), pa.string()),
        "customer_since": pa.array(some([date(2020, 1, 1), date(2026, 4, 1), None]), pa.date32()),
        "received_at": pa.array([start] * ROWS, pa.timestamp("us", "UTC")),
    })  # fmt: skip


def _newest(records: pa.RecordBatch) -> pl.DataFrame:
    today = datetime.now(UTC).date()
    latest: dict[str, dict[str, Any]] = {}
    for row in records.to_pylist():  # in the order of the log
        known = latest.get(row["customer_id"])
        if known is None or row["occurred_at"] >= known["occurred_at"]:
            latest[row["customer_id"]] = row
    rows = [row for row in latest.values() if not row["customer_id"].startswith("erased-")]
    for row in rows:
        born = row["date_of_birth"]
        row["age"] = None if born is None else (
            today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        )  # fmt: skip
        row["today"] = today
    whole = pa.Table.from_pylist(rows, records.schema.append(pa.field("age", pa.int32())).append(
        pa.field("today", pa.date32())))  # fmt: skip
    # Columns of the contract that no record had.
    found = pl.from_arrow(whole)
    assert isinstance(found, pl.DataFrame)
    return found.with_columns(gender=pl.lit(None, pl.String), branch_number=pl.lit(None, pl.String))


@pytest.fixture(scope="module")
def bank(driver: Driver, database: Database, worker_database: Database, app_settings: Settings) -> Bank:
    firm = Firm.made(database, app_settings, f"seg-{uuid.uuid4().hex[:12]}")
    records = _records()
    # A column that some earlier version of the contract had, with the name of one that is computed.
    kept = records.append_column("age", pa.array([1] * ROWS, pa.int64()))
    writer = warehouse.LakeWriter(database.url, app_settings)
    writer.put(
        LakeBatch(
            tenant=firm.tenant.id, stream=CONTRACT, partition=0, next_offset=ROWS, events=kept,
            offsets=pa.array(range(ROWS)).to_numpy(),
        )
    )  # fmt: skip
    assert writer.flush()
    writer.close()
    world = World(firm, worker_database, f"m{uuid.uuid4().hex[:12]}").furnish()
    return Bank(world, driver, worker_database, _newest(records))


_texts = st.sampled_from(
    [
        "city = 'Cebu'",
        "city <> 'Makati'",
        "city in ('Davao', 'Cebu')",
        "city > 'D'",
        "lower(market_segment) = 'retail'",
        "market_segment like '%''%'",
        "market_segment is null",
        "gender is null",
        "gender = 'F'",
        "starts_with(branch_number, '1')",
    ]
)
_numbers = st.builds(
    "{} {} {}".format,
    st.sampled_from(["age", "income_thousands", "income_thousands * 2 - age", "coalesce(income_thousands, age)"]),
    st.sampled_from(["<", "<=", "=", "<>", ">", ">="]),
    st.sampled_from(["0", "21", "22", "36", "53.2", "250"]),
)
_times = st.builds(
    "{} {} {}".format,
    st.sampled_from(["customer_since", "date_of_birth", "occurred_at"]),
    st.sampled_from(["<", ">="]),
    st.sampled_from(["today", "today - interval '300 days'", "timestamp '2026-05-03 00:00:00'", "date '1990-02-28'"]),
)
_conditions = st.recursive(
    _texts | _numbers | _times,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not ({})".format, inner)
    ),
    max_leaves=4,
)


@given(condition=_conditions)
@settings(max_examples=60)
def test_as_many_are_counted_as_the_condition_holds_for_among_the_newest_records(bank: Bank, condition: str) -> None:
    known = segments.catalogue_of(contracts.contracts()[CONTRACT])
    expected = bank.newest.filter(parse_condition(condition, known).polars()).height
    found = bank.preview(MANAGER, condition)
    exact = not {"income_thousands", "gender", "marital_status"} & parse_condition(condition, known).columns
    few, everybody = not exact and expected < 10, bank.newest.height
    tens, all_tens = (expected + 5) // 10 * 10, (everybody + 5) // 10 * 10
    people, customers = (expected, everybody) if exact else (None if few else tens, all_tens)
    assert (found["people"], found["customers"], found["exact"], found["few"]) == (people, customers, exact, few)


def test_who_may_not_see_people_learns_of_them_in_tens_and_of_few_nothing(bank: Bank) -> None:
    cebu = bank.newest.filter(pl.col("city") == "Cebu").height
    seen = bank.preview(MARKETING, "city = 'Cebu'")
    assert not seen["exact"]
    assert (seen["people"], seen["few"]) == ((cebu + 5) // 10 * 10, False)
    few = "city = 'Baguio'"
    assert bank.preview(MANAGER, few)["people"] == FEW
    seen = bank.preview(MARKETING, few)
    assert (seen["people"], seen["few"]) == (None, True)
    # Nor do they show in what is left of everybody.
    rest = bank.preview(MARKETING, f"not ({few}) or city is null")
    assert rest["customers"] % 10 == rest["people"] % 10 == 0
    nobody = bank.preview(MARKETING, "city = 'Nowhere'")
    assert (nobody["people"], nobody["few"]) == (None, True)
    made = bank.make(few)
    bank.count()
    for path in ("/segments", f"/segments/{made['id']}"):
        assert '"few":true' in bank.driver.call("GET", f"/api/v1{path}", bank._headers[ENGINEER]).text
    bank.ask(MARKETING, "GET", f"/segments/{made['id']}/members", status=403)
    bank.ask(ENGINEER, "GET", f"/segments/{made['id']}/members", status=403)


def test_members_are_the_people_page_by_page_with_the_masks_of_who_looks(bank: Bank) -> None:
    condition = "city = 'Davao' and age > 30"
    made = bank.make(condition)
    path = f"/segments/{made['id']}/members?limit=7"
    rows, after = [], ""
    while True:
        page = bank.ask(MANAGER, "GET", path + after)
        names = [one["name"] for one in page["columns"]]
        rows += [dict(zip(names, row, strict=True)) for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    known = segments.catalogue_of(contracts.contracts()[CONTRACT])
    there = bank.newest.filter(parse_condition(condition, known).polars())
    assert len({row["customer_id"] for row in rows}) == len(rows) == there.height
    tails = sorted(f"****{one[-4:]}" for one in there["customer_id"])
    assert sorted(row["customer_id"].split("~")[0] for row in rows) == tails
    assert {row["full_name"] for row in rows} == {f"****{one[-4:]}" for one in there["full_name"]}
    assert {row["city"] for row in rows} == {"****"}
    assert {row["date_of_birth"] for row in rows} == {str(one.year) for one in there["date_of_birth"]}
    assert {row["income_thousands"] for row in rows} <= {None, 0.0, 10.0, 50.0, 200.0, 300.0, 900.0}
    assert {one["shown"] for one in page["columns"] if one["name"] in ("customer_id", "market_segment")} == {
        "token", "clear",
    }  # fmt: skip


def test_what_a_role_sees_in_part_is_not_told_by_who_is_in_a_segment(bank: Bank) -> None:
    made = bank.make("income_thousands >= 50")
    path = f"/segments/{made['id']}"
    bank.count()
    said = bank.ask(MANAGER, "GET", f"{path}/members", status=403)
    assert said["type"].endswith("segment-withheld")
    assert "income_thousands" in said["detail"]
    found = bank.ask(MANAGER, "GET", path)
    sizes = [found["segment"]["size"], *(one["size"] for one in found["days"])]
    sizes += [one["size"] for one in bank.ask(MANAGER, "GET", "/segments/")["items"] if one["id"] == made["id"]]
    sizes.append(bank.preview(MANAGER, "income_thousands >= 50"))
    assert {(size["exact"], size["people"] % 10) for size in sizes} == {(False, 0)}


def test_a_segment_is_counted_when_it_is_made_and_changed_and_put_away(bank: Bank) -> None:
    made = bank.make("city = 'Makati'", description="  In the city.  ", role=MANAGER)
    path = f"/segments/{made['id']}"
    assert (made["size"], made["description"], made["version"]) == (None, "In the city.", 1)
    bank.count()
    detail = bank.ask(MANAGER, "GET", path)
    assert detail["assessment"]["reading"] == 'the city is "Makati"'
    assert detail["reads"] == ["city"]
    assert [one["size"]["people"] for one in detail["days"]] == [bank.newest.filter(pl.col("city") == "Makati").height]
    body = {"name": made["name"], "condition": "city = 'Makati' and age >= 18", "version": 1}
    changed = bank.ask(MARKETING, "PUT", path, body)["segment"]
    assert changed["version"] == 2
    assert bank.ask(MARKETING, "PUT", path, body, 409)["type"].endswith("changed-meanwhile")
    bank.count()
    detail = bank.ask(MANAGER, "GET", path)
    assert detail["reads"] == ["city", "date_of_birth"]
    grown = bank.newest.filter((pl.col("city") == "Makati") & (pl.col("age") >= 18)).height
    assert [(one["size"]["version"], one["size"]["people"]) for one in detail["days"]] == [(2, grown)]
    read = bank.ask(ENGINEER, "GET", f"/lineage/fields/{CONTRACT}/date_of_birth")["readers"]
    assert f"segment:{made['id']}" in {one["id"] for one in read}
    assert bank.ask(MARKETING, "PUT", path, body | {"version": 2, "archived": True})["segment"]["archived"]
    assert made["id"] not in [one["id"] for one in bank.ask(ENGINEER, "GET", "/segments")["items"]]
    assert made["id"] in [one["id"] for one in bank.ask(ENGINEER, "GET", "/segments?archived=true")["items"]]
    bank.ask(ENGINEER, "PUT", path, body, 403)


def test_requests_of_one_moment_are_held_to_the_limit_together(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = len(bank.ask(MANAGER, "GET", "/segments")["items"])
    monkeypatch.setattr(segments, "SEGMENTS_MAX", kept + 1)
    with ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(
                bank.driver.call, "POST", "/api/v1/segments", bank.world.headers(MANAGER.value),
                {"name": f"Last {i}", "condition": "age >= 18"},
            )
            for i in range(4)
        ]  # fmt: skip
    assert sorted(one.result().status for one in asked) == [201, 422, 422, 422]


@pytest.mark.parametrize(
    ("condition", "slug", "said"),
    [
        ("town = 'Cebu'", "condition", "town"),
        ("city > 3", "condition", "number"),
        ("city = ", "condition", ""),
        ("full_name = 'Maria'", "condition", "full_name"),
        ("customer_id = 'CUST-00000001'", "condition", "customer_id"),
        ("today > date '2026-01-01'", "segment", "every customer or for none"),
        (" or ".join(f"city like '%{i}%'" for i in range(60)), "segment", "400 is the limit"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_as_one_of_a_rule(
    bank: Bank, condition: str, slug: str, said: str
) -> None:
    answer = bank.ask(MARKETING, "POST", "/segments", {"name": "x", "condition": condition}, 422)
    assert (answer["type"], said in answer["detail"]) == (f"urn:finer:problem:{slug}", True)
    looked = bank.ask(MARKETING, "POST", "/segments/validation", {"condition": condition})
    assert (looked["usable"], said in looked["problem"]) == (False, True)
    assert looked["position"] == answer.get("position")
    bank.ask(MARKETING, "POST", "/segments/preview", {"condition": condition}, 422)


@pytest.mark.parametrize(("classification", "named"), [("internal", True), ("confidential", False)])
def test_an_age_of_the_firms_own_hides_the_computed_one_and_stays_a_secret(classification: str, named: bool) -> None:
    written = contract_texts.document(CONTRACT, "2.0.0")
    age = {"name": "age", "logicalType": "integer", "classification": classification, "description": "Of the contact."}
    written["schema"][0]["properties"].append(age)
    known = segments.catalogue_of(check_contract(contract_texts.text(written), "here"))
    assert ("age" in known.columns) is named


def test_a_segment_whose_field_has_gone_says_so_and_can_be_put_away(bank: Bank) -> None:
    made = bank.make("market_segment = 'Affluent'", role=MANAGER)
    kept = bank.make("city = 'Cebu'")
    unfit = bank.make("age = 47.11")
    path = f"/segments/{made['id']}"
    with bank.world.firm.tx() as tx:
        text = yaml.safe_load(drafts.text_of(tx, CONTRACT))
        text["version"] = "2.0.0"
        text["schema"][0]["properties"] = [
            one for one in text["schema"][0]["properties"] if one["name"] != "market_segment"
        ]
        text["schema"][0]["customProperties"][0]["value"].remove("market_segment")
        age = {"name": "age", "logicalType": "string", "description": "In words."}
        text["schema"][0]["properties"].append(age)
        draft = drafts.create(tx, CONTRACT, yaml.safe_dump(text, sort_keys=False), "")
        readers = bank.ask(ENGINEER, "GET", f"/lineage/fields/{CONTRACT}/market_segment")["readers"]
        assert f"segment:{made['id']}" in {one["id"] for one in readers}
        trial = drafts.begin_trial(tx, draft.id, draft.revision).trial
        assert trial is not None
        drafts.note_trial(tx, draft.id, msgspec.structs.replace(trial, state="done"))
        drafts.execute_publication(tx, drafts.publication(drafts.get_version(tx, draft.id)))
    problem = f"The segment reads a field that the contract {CONTRACT} has no more: market_segment."
    bank.count()
    listed = {one["id"]: one for one in bank.ask(MARKETING, "GET", "/segments")["items"]}
    assert (listed[made["id"]]["problem"], listed[kept["id"]]["problem"]) == (problem, "")
    # What is kept beside the size is not sealed, so it repeats nothing of the condition; the condition's page does.
    assert "does not fit" in listed[unfit["id"]]["problem"]
    assert "47.11" not in listed[unfit["id"]]["problem"]
    assert "47.11" in bank.ask(MARKETING, "GET", f"/segments/{unfit['id']}")["assessment"]["problem"]
    assert listed[made["id"]]["size"]["people"] is None
    assert listed[kept["id"]]["size"]["people"] > 0
    detail = bank.ask(MARKETING, "GET", path)
    assert not detail["assessment"]["usable"]
    assert problem in bank.ask(MANAGER, "GET", f"{path}/members", status=409)["detail"]
    body = {"name": made["name"], "condition": made["condition"], "version": 1}
    bank.ask(MARKETING, "PUT", path, body, 422)
    assert bank.ask(MARKETING, "PUT", path, body | {"archived": True})["segment"]["archived"]
