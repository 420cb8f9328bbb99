"""I01, B11: results of SQL leave Finer as exports of the lake do: for who asked, counted, and much by two people."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.errors import NotAcceptable
from finer.identity.service import audit, proposals, staff
from finer.identity.types.access import Role, User
from finer.identity.types.audit import AuditFilter
from finer.identity.types.proposals import Proposal
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.warehouse.types import SqlResult
from finer.workspace.service import runs
from finer.workspace.types import NewRun
from tests.security.world import World
from tests.support.asgi import Driver

QUERIES = "/api/v1/sql/queries"
_WHY = "The regulator wants March."


def _answered(world: World, who: User, table: pa.Table, statement: str = "from transactions") -> str:
    """The shown id of a run that was answered with a table."""
    with world.firm.tx(world.actor(who)) as tx:
        run = runs.submit(tx, NewRun(statement=statement, rows_max=runs.ROWS_MAX, fresh=True))
        runs.finish(tx, run, SqlResult(table, truncated=False, seconds=0.1))
        return show_id(runs.PREFIX, run.id)


def _rows(count: int) -> pa.Table:
    return pa.table({"n": pa.array(range(count), pa.int32())})


def _headers(world: World, who: User) -> dict[str, str]:
    return {"cookie": f"finer_session={world.session(who)}", "x-requested-with": "finer"}


@pytest.mark.parametrize("role", [Role.DATA_ENGINEER, Role.MARKETING_MANAGER, Role.CREDIT_OFFICER])
def test_i01_many_rows_of_sql_leave_only_when_a_second_person_lets_them(
    driver: Driver, ours: World, role: Role
) -> None:
    owner = ours.person(role)
    headers = _headers(ours, owner)
    run = f"{QUERIES}/{_answered(ours, owner, _rows(10_001))}"
    for form in ("csv", "parquet", "arrow"):
        silent = driver.call("POST", f"{run}/export", headers, {"format": form})
        assert (silent.status, "these are 10,001 rows, and more than 10,000 take two" in silent.text) == (422, True)
    asked = driver.call("POST", f"{run}/export", headers, {"reason": _WHY})
    assert (asked.status, set(asked.json())) == (202, {"proposal"})
    path = f"/api/v1/proposals/{asked.json()['proposal']}"
    again = driver.call("POST", f"{run}/export", headers, {"format": "arrow", "reason": "Once more."})
    assert again.json() == asked.json()
    # Its maker sees what it waits for, and cannot be the second person.
    mine = driver.call("GET", path, headers).json()
    assert (mine["state"], mine["mine"], mine["decidable"]) == ("waiting", True, False)
    assert [one["id"] for one in driver.call("GET", "/api/v1/proposals", headers).json()] == [mine["id"]]
    checker = ours.headers(Role.ADMINISTRATOR.value)
    shown = driver.call("GET", path, checker).json()
    assert "from transactions" in repr(shown["changes"])
    decision = {"sha256": shown["sha256"], "reason": "It does."}
    assert driver.call("POST", f"{path}/approval", headers, decision).status == 403
    assert driver.call("POST", f"{path}/approval", checker, decision).status == 200
    assert driver.call("GET", path, headers).json()["state"] == "executed"
    file = driver.call("POST", f"{run}/export", headers, {"format": "arrow"})
    assert file.status == 200
    with pa.ipc.open_stream(file.body) as reader:
        assert reader.read_all().num_rows == 10_001
    # What was approved is the question: another run of it may leave, another question may not.
    later = f"{QUERIES}/{_answered(ours, owner, _rows(10_002))}"
    table = driver.call("POST", f"{later}/export", headers, {})
    assert (table.status, table.header("content-type")) == (200, "text/csv; charset=utf-8")
    other = f"{QUERIES}/{_answered(ours, owner, _rows(10_001), 'from decisions')}"
    assert driver.call("POST", f"{other}/export", headers, {}).status == 422


def test_i01_no_page_of_a_result_shows_what_an_export_would_ask_a_second_person_for(
    driver: Driver, ours: World
) -> None:
    owner = ours.person(Role.DATA_ENGINEER)
    headers = _headers(ours, owner)
    many = f"{QUERIES}/{_answered(ours, owner, _rows(12_000))}/rows"
    seen = driver.call("GET", f"{many}?offset=9990&limit=100", headers).json()
    assert (len(seen["items"]), seen["total"], seen["next"]) == (10, 12_000, 10_000)
    for query in ("offset=10000", "offset=11999&limit=1"):
        beyond = driver.call("GET", f"{many}?{query}", headers)
        assert (beyond.status, beyond.json()["type"]) == (403, "urn:finer:problem:sql-rows-not-shown")
    arrow = driver.call("GET", many, headers | {"accept": "application/vnd.apache.arrow.stream"})
    assert len(arrow.json()["items"]) == 1000
    # A whole table in one cell is as much as its rows were.
    gathered = pa.table({"all": [["x" * 1024] * 12_000]})
    wide = f"{QUERIES}/{_answered(ours, owner, gathered)}"
    assert driver.call("GET", f"{wide}/rows", headers).status == 403
    assert driver.call("POST", f"{wide}/export", headers, {}).status == 422
    assert (
        driver.call("GET", f"{QUERIES}/{_answered(ours, owner, _rows(10_000))}/rows?offset=10000", headers).status
        == 200
    )


def test_i01_a_result_is_exported_by_who_asked_and_nobody_else(driver: Driver, ours: World, theirs: World) -> None:
    owner = ours.person(Role.DATA_ENGINEER)
    run = f"{QUERIES}/{_answered(ours, owner, _rows(3))}"
    for stranger in (ours.headers(Role.RISK_ANALYST.value), theirs.headers(Role.DATA_ENGINEER.value)):
        assert driver.call("POST", f"{run}/export", stranger, {}).status == 404
    file = driver.call("POST", f"{run}/export", _headers(ours, owner), {})
    assert (file.status, file.text.count("\r\n")) == (200, 4)


def _exporting(world: World, rows_max: int) -> Any:
    few = msgspec.structs.replace(world.firm.settings, export_rows_max=rows_max)

    def export(who: User, shown: str, reason: str = "") -> bytes | Proposal:
        with world.firm.tx(world.actor(who)) as tx:
            return runs.export(tx, few, PROPOSAL_KINDS, read_id(runs.PREFIX, shown), "csv", reason)

    return export


def test_b11_results_are_not_taken_in_many_small_parts(ours: World) -> None:
    export, owner = _exporting(ours, 50), ours.person(Role.RISK_ANALYST)
    first, second = (_answered(ours, owner, _rows(30), f"select {part}") for part in (1, 2))
    assert isinstance(export(owner, first), bytes)
    with pytest.raises(NotAcceptable):
        export(owner, second)
    assert isinstance(export(owner, second, _WHY), Proposal)


def test_b11_two_exports_at_once_do_not_both_count_as_the_first(ours: World, campaign_settings: Settings) -> None:
    few = msgspec.structs.replace(campaign_settings, export_rows_max=50)
    owner = ours.person(Role.RISK_ANALYST)
    asked = [_answered(ours, owner, _rows(30), f"select {part}") for part in range(2)]
    ready = threading.Barrier(len(asked))

    def export(shown: str) -> bool:
        ready.wait(10)
        try:
            with ours.firm.database.transaction(ours.firm.tenant.id, ours.actor(owner)) as tx:
                return isinstance(runs.export(tx, few, PROPOSAL_KINDS, read_id(runs.PREFIX, shown), "csv"), bytes)
        except NotAcceptable:
            return False

    with ThreadPoolExecutor(len(asked)) as pool:
        assert sum(pool.map(export, asked)) == 1


def test_b11_an_approval_is_for_what_the_role_of_its_maker_saw(ours: World) -> None:
    """Rows that were masked for one role are not fetched in another one that sees more."""
    export, owner, checker = _exporting(ours, 10), ours.person(Role.MARKETING_MANAGER), ours.person(Role.ADMINISTRATOR)
    waits = export(owner, _answered(ours, owner, _rows(30)), _WHY)
    with ours.firm.tx(ours.actor(checker)) as tx:
        proposals.decide(
            tx, PROPOSAL_KINDS, waits.id, approve=True, sha256=waits.payload_sha256, reason="Looked at it."
        )
    assert isinstance(export(owner, _answered(ours, owner, _rows(30))), bytes)
    with ours.firm.tx() as tx:
        staff.change_role(tx, owner.id, Role.RISK_ANALYST)
    moved = msgspec.structs.replace(owner, role=Role.RISK_ANALYST)
    with pytest.raises(NotAcceptable):
        export(moved, _answered(ours, moved, _rows(30)))


def test_i01_an_export_of_sql_is_in_the_trail_with_its_rows(ours: World) -> None:
    export, owner = _exporting(ours, 10_000), ours.person(Role.DATA_ENGINEER)
    export(owner, _answered(ours, owner, _rows(7)))
    with ours.firm.tx() as tx:
        wanted = AuditFilter(action="sql:export", actor=show_id("usr", owner.id))
        assert [line.detail for line in audit.search_audit(tx, wanted, 10)[0]] == [{"format": "csv", "rows": 7}]
