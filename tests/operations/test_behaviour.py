"""Customer behaviour: sessions and how far they came, actions, products, for those who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import msgspec
import pytest

from finer.app.board_routes import compute_board
from finer.app.boards import Scope
from finer.identity.types.access import Role
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.operations.service import behaviour
from finer.operations.store import lake
from finer.operations.types.sums import OTHER
from tests.operations.conftest import Floor
from tests.operations.conftest import order as order_line
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def _board(firm: Firm, span: str = "24h", **chosen: Any) -> dict[str, Any]:
    scope = Scope(tenant=firm.tenant.id, board="behaviour", span=span, **chosen)
    return {name: msgspec.json.decode(part) for name, part in compute_board(firm.database, scope).items()}


def _act(session: str, kind: str, at: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"{session} {kind} {at.isoformat()}", "occurred_at": at.isoformat(), "session_id": session,
        "kind": kind, "country": "PH", "channel": "web", "product_id": "p1",
    } | changes  # fmt: skip


def _acts() -> list[dict[str, Any]]:
    """Three sessions of today, one that only looked, and one of yesterday."""
    early = NOW - timedelta(hours=2)
    return [
        _act("s1", "page_view", early),
        _act("s1", "product_view", early + timedelta(minutes=5)),
        _act("s1", "checkout", early + timedelta(minutes=10), channel="app"),
        _act("s2", "product_view", NOW, country="SG", product_id="p2"),
        _act("s2", "product_view", NOW + timedelta(seconds=30), country="SG"),
        _act("s3", "page_view", NOW - timedelta(hours=1), channel="app"),
        _act("s0", "purchase", NOW - timedelta(hours=30)),
    ]


@contextmanager
def _lake(records: list[dict[str, Any]]) -> Iterator[behaviour.Read]:
    """A lake that holds some actions."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table activities (session_id text, kind text, occurred_at timestamptz, country text, channel text)"
        )
        connection.executemany(
            "insert into activities values (?, ?, ?, ?, ?)",
            [[one["session_id"], one["kind"], one["occurred_at"], one["country"], one["channel"]] for one in records],
        )

        def read(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = connection.execute(statement, given).to_arrow_table().to_pylist()
            return found

        yield read


def _count(floor: Floor, records: list[dict[str, Any]], day: date | None = None) -> int:
    """One run of the job that counts sessions, of a day where one is named."""
    with _lake(records) as read, floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        run = runs.start(tx, behaviour.SESSIONS_JOB, day=day)
        assert run is not None
        runs.begin(tx, run)
        asked = behaviour.sessions_to_count(tx, day)
        counts = behaviour.keep_sessions(tx, asked, behaviour.count_sessions(asked, read))
        runs.finish(tx, run, runs.RunState.SUCCEEDED, counts=counts)
    return counts["sessions"]


@pytest.fixture
def shop(floor: Floor, clock: FixedClock) -> Floor:
    """A firm whose customers look around, of whom one orders."""
    clock.advance(NOW - clock.now())
    floor.send("activity", _acts())
    floor.send("order", [order_line(1, NOW, country="PH"), order_line(2, NOW, type="paid", country="PH")])
    floor.keep()
    assert _count(floor, _acts()) == 4
    return floor


def test_sessions_are_counted_once_by_how_far_they_came(shop: Floor, other_firm: Firm) -> None:
    found = _board(shop.firm)
    assert found["failed"] == []
    visits = found["visits"]["now"]
    assert {name: visits[name] for name in ("sessions", "viewed", "added", "checked_out", "purchased", "single")} == {
        "sessions": 3, "viewed": 2, "added": 1, "checked_out": 1, "purchased": 0, "single": 1,
    }  # fmt: skip
    assert visits["seconds"] == 10 * 60 + 30
    assert found["visits"]["before"]["purchased"] == 1
    # The hour under way is not compared: two sessions of today, one of the day before.
    assert found["visits"]["change"] == 1.0
    assert [(step["name"], step["of"], step["count"], step["before"]) for step in found["funnel"]] == [
        ("sessions", "sessions", 3, 1), ("viewed", "sessions", 2, 1), ("added", "sessions", 1, 1),
        ("checked_out", "sessions", 1, 1), ("purchased", "sessions", 0, 1),
        ("placed", "lines", 1, 0), ("paid", "lines", 1, 0),
    ]  # fmt: skip
    assert sum(moment["values"]["sessions"] for moment in found["series"]) == 3
    assert datetime.fromisoformat(found["measured_at"]) == NOW
    nothing = _board(other_firm)
    assert nothing["visits"]["now"]["sessions"] == 0
    assert nothing["measured_at"] is None


def test_a_session_belongs_to_the_place_and_the_hour_of_its_first_action(shop: Floor) -> None:
    found = _board(shop.firm)
    assert {(one["label"], one["sessions"], one["checked_out"]) for one in found["channels"]} == {
        ("web", 2, 1), ("app", 1, 0),
    }  # fmt: skip
    assert [(one["label"], one["sessions"]) for one in found["regions"]] == [("PH", 2), ("SG", 1)]
    # 9:30 UTC is 17:30 in Manila.
    assert {one["label"]: one["sessions"] for one in found["hours"] if one["sessions"]} == {
        "15:00": 1, "16:00": 1, "17:00": 1,
    }  # fmt: skip
    narrow = _board(shop.firm, region="PH", channel="web")
    assert narrow["visits"]["now"]["sessions"] == 1
    assert [step["count"] for step in narrow["funnel"]] == [1, 1, 1, 1, 0, 1, 1]
    assert narrow["choices"] == {"regions": ["PH", "SG"], "channels": ["app", "web"]}


def test_what_people_look_at_stands_beside_what_they_do_about_it(shop: Floor) -> None:
    found = _board(shop.firm)
    assert [(one["label"], one["views"], one["before"], one["placed"]) for one in found["products"]] == [
        ("p1", 2, 0, 1), ("p2", 1, 0, 0),
    ]  # fmt: skip
    assert sum(moment["values"]["product_view"] for moment in found["actions"]) == 3
    assert sum(moment["values"]["checkout"] for moment in found["actions"]) == 1


def test_changes_compare_whole_hours_with_as_many_of_the_day_before(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    day = timedelta(days=1)
    # Twice in an hour that is over, then once in the one under way; a day before once and, in the same hour, thrice.
    when = [NOW - timedelta(hours=3), NOW - timedelta(hours=2), NOW, NOW - timedelta(hours=3) - day, *[NOW - day] * 3]
    acts = [_act(f"v{number}", "product_view", at) for number, at in enumerate(when)]
    floor.send("activity", acts)
    floor.send("order", [order_line(number, at, country="PH") for number, at in enumerate(when)])
    floor.keep()
    _count(floor, acts)
    found = _board(floor.firm)
    steps = {step["name"]: step for step in found["funnel"]}
    for name in ("sessions", "viewed", "placed"):
        assert (steps[name]["count"], steps[name]["before"], steps[name]["change"]) == (3, 1, 1.0), name
    assert (steps["purchased"]["change"], steps["paid"]["change"]) == (None, None)
    assert [(one["views"], one["before"], one["change"]) for one in found["products"]] == [(3, 1, 1.0)]


def test_counting_again_corrects_and_adds_nothing_twice(shop: Floor, clock: FixedClock) -> None:
    late = _act("s3", "add_to_cart", NOW - timedelta(minutes=30), channel="app")
    assert _count(shop, [*_acts(), late]) == 4
    visits = _board(shop.firm)["visits"]["now"]
    assert (visits["sessions"], visits["added"], visits["single"]) == (3, 2, 0)
    # What came late for a day that is not looked at every time is found on the day after.
    old = _act("s9", "page_view", NOW - timedelta(days=5))
    assert _count(shop, [*_acts(), old]) == 4
    clock.advance(timedelta(days=1))
    assert _count(shop, [*_acts(), old]) == 5
    assert _board(shop.firm, span="7d")["visits"]["now"]["sessions"] == 5
    clock.advance(timedelta(days=300))
    with shop.database.transaction(shop.firm.tenant.id, SYSTEM) as tx:
        assert behaviour.forget_old(tx) == 5


def test_a_day_past_is_counted_when_somebody_asks_and_no_other(shop: Floor) -> None:
    began = NOW.replace(hour=0, minute=0) - timedelta(days=5)
    old = [
        _act("s7", "page_view", began - timedelta(minutes=1)),
        _act("s8", "page_view", began),
        _act("s9", "page_view", began + timedelta(hours=23, minutes=59)),
        _act("s9", "purchase", began + timedelta(hours=24, minutes=1)),
        _act("s10", "page_view", began + timedelta(days=1)),
    ]
    assert _count(shop, old, day=began.date()) == 2
    found = _board(shop.firm, span="7d")["visits"]["now"]
    # Those of before are not looked at: what this lake lacks of them stays.
    assert (found["sessions"], found["purchased"]) == (6, 2)
    assert _count(shop, old, day=began.date()) == 2
    assert _board(shop.firm, span="7d")["visits"]["now"]["sessions"] == 6
    # It stands for no count of all days, so the next one on schedule is of all.
    assert _count(shop, [*_acts(), *old]) == 8


def test_places_beyond_those_that_are_counted_by_themselves_are_one(shop: Floor) -> None:
    strange = [_act(f"x{number}", "page_view", NOW, country=f"land {number}") for number in range(9)]
    assert _count(shop, [*_acts(), *strange]) == 13
    found = {one["label"]: one["sessions"] for one in _board(shop.firm)["regions"]}
    assert found == {"PH": 2, "SG": 1, OTHER: 9}


def test_sessions_of_a_place_that_the_sums_came_to_know_later_are_counted_there(
    floor: Floor, clock: FixedClock
) -> None:
    clock.advance(NOW - clock.now())
    old = _act("s9", "page_view", NOW - timedelta(days=5))
    # The lake holds the records of weeks before the sums have come to any of them.
    assert _count(floor, [*_acts(), old]) == 5
    assert [one["label"] for one in _board(floor.firm, span="7d")["regions"]] == [OTHER]
    floor.send("activity", [*_acts(), old])
    floor.keep()
    assert _count(floor, [*_acts(), old]) == 5
    assert OTHER not in [one["label"] for one in _board(floor.firm, span="7d")["regions"]]


def test_a_session_that_began_before_what_is_looked_at_does_not_begin_anew() -> None:
    since = NOW.replace(hour=0, minute=0)
    acts = [_act("s", "page_view", since - timedelta(minutes=5)), _act("s", "page_view", since + timedelta(minutes=5))]
    asked = {
        "since": since, "until": since + timedelta(days=1), "looked": since - timedelta(days=1), "regions": [],
        "channels": [], "other": OTHER,
    }  # fmt: skip
    with _lake(acts) as read:
        assert read(lake.SESSIONS, asked) == []


def test_each_role_that_may_sees_it_and_odd_questions_are_refused(driver: Driver, world: World) -> None:
    for role in (Role.MARKETING_MANAGER, Role.EXECUTIVE, Role.AUDITOR):
        answer = driver.call("GET", "/api/v1/operations/behaviour?channel=web", world.headers(role.value))
        assert answer.status == 200, answer.text
    assert driver.call("GET", "/api/v1/operations/behaviour", world.headers(Role.RISK_ANALYST.value)).status == 403
    bad = driver.call("GET", "/api/v1/operations/behaviour?span=1h", world.headers(Role.EXECUTIVE.value))
    assert bad.status == 400
