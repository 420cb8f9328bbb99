"""I01, B11: an export's file is for who asked, in the role it was made for, while it lasts; much takes two people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest
from pyarrow import fs

from finer.app.lake_exports import carry_out_export
from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.errors import NotAcceptable, OwnProposal, PermissionMissing, ProposalChanged
from finer.identity.service import proposals, staff
from finer.identity.types.access import Role, User
from finer.identity.types.proposals import Proposal, ProposalState
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.warehouse.service import exports
from finer.warehouse.service.lake import LakeAccess, LakeWriter
from finer.warehouse.types import Export, ExportFormat, Wanted
from tests.security.world import World
from tests.support.asgi import Answer, Driver
from tests.warehouse.samples import sample_batch

Call = Callable[..., Answer]
EXPORTS = "/api/v1/lake/exports"


@pytest.fixture(scope="module")
def lake(ours: World, campaign_settings: Settings) -> LakeAccess:
    """The lake of our firm, with 50 transactions of one customer."""
    writer = LakeWriter(campaign_settings.database_url, campaign_settings)
    batch = sample_batch(ours.firm.tenant.id, 0, 50)
    customer = pa.array([f"customer-{ours.mark}"] * 50)
    writer.put(msgspec.structs.replace(batch, events=batch.events.append_column("customer_id", customer)))
    assert writer.flush()
    writer.close()
    return LakeAccess(campaign_settings.database_url, campaign_settings)


def _headers(world: World, user: User) -> dict[str, str]:
    return {"cookie": f"finer_session={world.session(user)}", "x-requested-with": "finer"}


def _carry_out(worker: Database, lake: LakeAccess, world: World, shown: str) -> None:
    tenant, identifier = world.firm.tenant.id, read_id("exp", shown)
    with worker.transaction(tenant, SYSTEM) as tx:
        asked = runs.page(tx, runs.RunFilter(job=exports.EXPORT_JOB), 100)
        record = next(one for one in asked if one.arguments["export"] == str(identifier))
    carry_out_export(worker, lake, tenant, identifier, runs.Run(record, tenant))


def test_i01_a_file_is_its_owners_only_and_only_in_the_role_it_was_made_for(
    driver: Driver, ours: World, theirs: World, worker_database: Database, lake: LakeAccess
) -> None:
    owner = ours.person(Role.RISK_ANALYST)
    headers = _headers(ours, owner)
    asked = driver.call("POST", EXPORTS, headers, {"table": "transactions", "format": "csv"})
    assert (asked.status, asked.json()["state"]) == (202, "waiting")
    path = f"{EXPORTS}/{asked.json()['id']}"
    early = driver.call("GET", f"{path}/file", headers)
    assert (early.status, early.json()["type"]) == (409, "urn:finer:problem:export-not-ready")
    _carry_out(worker_database, lake, ours, asked.json()["id"])
    shown = driver.call("GET", path, headers).json()
    assert (shown["state"], shown["rows"], shown["rows_total"]) == ("ready", 50, 50)
    file = driver.call("GET", f"{path}/file", headers)
    assert file.status == 200
    assert file.header("content-disposition").startswith('attachment; filename="transactions-')
    assert file.header("cache-control") == "no-store"
    assert len(file.body) == shown["bytes"]
    assert f"customer-{ours.mark}" not in file.text
    assert "50 rows" in driver.call("GET", "/api/v1/notifications", headers).json()["items"][0]["text"]
    for stranger in (
        ours.headers(Role.DATA_ENGINEER.value),
        ours.headers(Role.RISK_ANALYST.value),
        theirs.headers(Role.RISK_ANALYST.value),
    ):
        assert driver.call("GET", path, stranger).status == 404
        assert driver.call("GET", f"{path}/file", stranger).status == 404
        assert driver.call("DELETE", path, stranger).status == 404
        assert driver.call("GET", EXPORTS, stranger).json()["items"] == []
    with ours.firm.tx() as tx:
        staff.change_role(tx, owner.id, Role.DATA_ENGINEER)
    moved = driver.call("GET", f"{path}/file", _headers(ours, owner))
    assert (moved.status, "another role" in moved.json()["detail"]) == (409, True)


def test_i01_a_file_is_gone_when_its_time_is_over_or_its_owner_says_so(
    driver: Driver, ours: World, worker_database: Database, lake: LakeAccess
) -> None:
    headers = _headers(ours, ours.person(Role.DATA_ENGINEER))
    paths = []
    for _ in range(3):
        asked = driver.call("POST", EXPORTS, headers, {"table": "decisions"}).json()["id"]
        paths.append(f"{EXPORTS}/{asked}")
    _carry_out(worker_database, lake, ours, paths[0].rsplit("/", 1)[1])
    ended = driver.call("DELETE", paths[0], headers).json()
    assert ended["state"] == "expired"
    assert driver.call("GET", f"{paths[0]}/file", headers).status == 409
    cancelled = driver.call("DELETE", paths[1], headers).json()
    _carry_out(worker_database, lake, ours, cancelled["id"])  # the job finds nothing to do
    assert driver.call("GET", paths[1], headers).json()["state"] == "cancelled"
    _carry_out(worker_database, lake, ours, paths[2].rsplit("/", 1)[1])
    later = worker_database.clock.now().replace(year=2100)
    jobs = Database(worker_database.url, worker_database.role, connections=1, clock=FixedClock(later))
    with jobs.transaction(ours.firm.tenant.id, SYSTEM) as tx:
        exports.sweep_exports(tx, lake)
    jobs.close()
    assert driver.call("GET", paths[2], headers).status in (200, 404)
    assert driver.call("GET", f"{paths[2]}/file", headers).status in (404, 409)
    folder = fs.FileSelector(lake.place.path("exports", ours.firm.tenant.id.hex))
    gone = {path.rsplit("_", 1)[1] for path in paths}
    assert not gone & {file.base_name.split(".")[0] for file in lake.place.filesystem.get_file_info(folder)}


def test_i01_an_export_needs_a_range_a_table_and_a_moment_that_are_there(
    driver: Driver, ours: World, lake: LakeAccess
) -> None:
    headers = _headers(ours, ours.person(Role.DATA_ENGINEER))
    for body, status in (
        ({"table": "nothing"}, 404),
        ({"table": "transactions", "format": "xlsx"}, 400),
        ({"table": "transactions", "from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 400),
        ({"table": "transactions", "from": "2026-03-02T00:00:00"}, 400),
        ({"table": "transactions", "snapshot": 10**6}, 404),
        ({"table": "transactions", "as_of": "2999-03-01T00:00:00Z"}, 422),
        ({"table": "transactions", "snapshot": 1, "as_of": "2026-03-01T00:00:00Z"}, 400),
    ):
        answer = driver.call("POST", EXPORTS, headers, body)
        assert answer.status == status, (body, answer.text)
    for _ in range(5):
        assert driver.call("POST", EXPORTS, headers, {"table": "transactions"}).status == 202
    assert driver.call("POST", EXPORTS, headers, {"table": "transactions"}).status == 409
    assert driver.call("GET", f"{EXPORTS}/exp_{uuid.uuid4().hex}", headers).status == 404


def test_erasing_somebody_takes_the_files_back(
    driver: Driver, ours: World, worker_database: Database, lake: LakeAccess
) -> None:
    headers = _headers(ours, ours.person(Role.DATA_ENGINEER))
    path = f"{EXPORTS}/{driver.call('POST', EXPORTS, headers, {'table': 'transactions'}).json()['id']}"
    _carry_out(worker_database, lake, ours, path.rsplit("/", 1)[1])
    with worker_database.transaction(ours.firm.tenant.id, SYSTEM) as tx:
        assert exports.withdraw_exports(tx, lake, "Somebody was erased.") >= 1
    shown = driver.call("GET", path, headers).json()
    assert (shown["state"], shown["problem"]) == ("expired", "Somebody was erased.")
    assert driver.call("GET", f"{path}/file", headers).status == 409


def test_i01_many_rows_leave_the_lake_only_when_a_second_person_lets_them(
    driver: Driver, ours: World, worker_database: Database, lake: LakeAccess
) -> None:
    writer = LakeWriter(lake.url, lake.settings)
    writer.put(sample_batch(ours.firm.tenant.id, 1000, 10_001))
    assert writer.flush()
    writer.close()
    headers = _headers(ours, ours.person(Role.DATA_ENGINEER))
    few = {"table": "transactions", "to": "2026-03-01T12:10:00Z"}
    assert driver.call("POST", EXPORTS, headers, few).json()["state"] == "waiting"
    many: dict[str, str] = {"table": "transactions", "format": "csv", "from": "2026-03-01T12:00:00Z"}
    silent = driver.call("POST", EXPORTS, headers, many)
    assert (silent.status, "Say why" in silent.text) == (422, True)
    many["reason"] = "The auditors want March."
    asked = driver.call("POST", EXPORTS, headers, many)
    assert (asked.status, set(asked.json())) == (202, {"proposal"})
    path = f"/api/v1/proposals/{asked.json()['proposal']}"
    assert driver.call("POST", EXPORTS, headers, many).json() == asked.json()
    assert [one["state"] for one in driver.call("GET", EXPORTS, headers).json()["items"]] == ["waiting"]
    checker = ours.headers(Role.ADMINISTRATOR.value)
    shown = driver.call("GET", path, checker).json()
    assert "from: 2026-03-01 12:00:00+00:00" in repr(shown["changes"])
    decision = {"sha256": shown["sha256"], "reason": "They do."}
    assert driver.call("POST", f"{path}/approval", headers, decision).status in (403, 404, 409)
    assert driver.call("POST", f"{path}/approval", checker, decision).status == 200
    let = driver.call("POST", EXPORTS, headers, many)
    assert (let.status, let.json()["state"]) == (202, "waiting")
    assert set(driver.call("POST", EXPORTS, headers, many | {"format": "parquet"}).json()) == {"proposal"}
    _carry_out(worker_database, lake, ours, let.json()["id"])
    assert driver.call("GET", f"{EXPORTS}/{let.json()['id']}", headers).json()["rows"] == 10_051


_FEW = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
"""Until here the table has 50 rows, whatever other tests add."""


def _asking(world: World, lake: LakeAccess, rows_max: int) -> Callable[..., Export | Proposal]:
    few = LakeAccess(lake.url, msgspec.structs.replace(lake.settings, export_rows_max=rows_max))

    def ask(who: User, reason: str = "", since: datetime | None = None) -> Export | Proposal:
        wanted = Wanted(table="transactions", format=ExportFormat.CSV, since=since, until=_FEW)
        with world.firm.tx(world.actor(who)) as tx:
            return exports.ask_for_export(tx, few, PROPOSAL_KINDS, wanted, reason)

    return ask


def test_b11_much_of_the_lake_takes_two_people_and_only_what_they_agreed_on(ours: World, lake: LakeAccess) -> None:
    owner, colleague, checker = (ours.person(role) for role in (Role.RISK_ANALYST,) * 2 + (Role.ADMINISTRATOR,))
    ask = _asking(ours, lake, rows_max=30)
    with pytest.raises(NotAcceptable):
        ask(owner)
    waits = ask(owner, "For the yearly report.")
    assert isinstance(waits, Proposal)
    again = ask(owner, "Asked by a second browser.")
    assert isinstance(again, Proposal)
    assert again.id == waits.id

    def decide(who: User, sha256: bytes) -> Proposal:
        with ours.firm.tx(ours.actor(who)) as tx:
            return proposals.decide(tx, PROPOSAL_KINDS, waits.id, approve=True, sha256=sha256, reason="Looked at it.")

    for claimed in (owner.role, Role.ADMINISTRATOR):  # a role that only the session has opens nothing
        with pytest.raises(PermissionMissing):
            decide(msgspec.structs.replace(owner, role=claimed), waits.payload_sha256)
    with ours.firm.tx() as tx:
        staff.change_role(tx, owner.id, Role.ADMINISTRATOR)
    with pytest.raises(OwnProposal):  # two roles are one person
        decide(msgspec.structs.replace(owner, role=Role.ADMINISTRATOR), waits.payload_sha256)
    with ours.firm.tx() as tx:
        staff.change_role(tx, owner.id, Role.RISK_ANALYST)
    with pytest.raises(ProposalChanged):
        decide(checker, bytes(32))
    assert decide(checker, waits.payload_sha256).state is ProposalState.EXECUTED
    assert isinstance(ask(owner), Export)
    with pytest.raises(NotAcceptable):  # another question than the one that was approved
        ask(owner, since=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(NotAcceptable):  # somebody else's approval
        ask(colleague)


def test_b11_the_lake_is_not_exported_in_many_small_parts(ours: World, lake: LakeAccess) -> None:
    ask = _asking(ours, lake, rows_max=60)
    owner = ours.person(Role.RISK_ANALYST)
    assert isinstance(ask(owner), Export)
    with pytest.raises(NotAcceptable):
        ask(owner)
    assert isinstance(ask(ours.person(Role.RISK_ANALYST)), Export)
