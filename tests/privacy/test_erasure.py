"""I02: an erased person is in no table, no lake file and no key any more; what stays says no longer who it was."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from finer.decisions.service import alerts as decisions
from finer.facts.decisions import AlertResolved
from finer.facts.privacy import ErasureApproved
from finer.identity.errors import AlreadyExists
from finer.identity.service import people, sessions
from finer.identity.types.access import Factor, Role
from finer.ingest.service import contracts, parsing, receipts
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.privacy import handlers
from finer.privacy.errors import StepNotPossible, UnderHold
from finer.privacy.service import export, holds, requests
from finer.privacy.types import HoldKind, Law, RequestKind, RequestState, RequestWithSteps, Step, SubjectKind
from finer.screening.service import subjects
from finer.screening.types import Profile, Subject
from finer.screening.types import SubjectKind as ScreenedKind
from finer.warehouse.errors import LakeUnavailable
from finer.warehouse.handlers import append_label
from finer.warehouse.service import lake as warehouse
from finer.warehouse.store import catalogue, erasing
from finer.warehouse.store.append import Appender
from tests.decisions.test_alerts import _alert
from tests.support.identity import Firm
from tests.warehouse.samples import START, order_batch, sample_batch

CUSTOMER = "customer_id-3"


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> warehouse.LakeAccess:
    return warehouse.LakeAccess(database_url, Settings(data_dir=str(tmp_path), lake_flush_s=0.05))


@pytest.fixture
def reader(access: warehouse.LakeAccess) -> Iterator[warehouse.LakeReader]:
    found = warehouse.LakeReader(access.url, access.settings, memory_mb=256, threads=1)
    yield found
    found.close()


@pytest.fixture
def furnished(firm: Firm, jobs: Database, access: warehouse.LakeAccess) -> Firm:
    """A firm that knows the customer from alerts, from refused records, and in the lake."""
    tenant = firm.tenant.id
    with jobs.transaction(tenant, SYSTEM) as tx:
        both = [replace(_alert(1), customer_id=CUSTOMER), replace(_alert(2), customer_id="customer_id-4")]
        decisions.record_verdicts(tx, both, [])
    with firm.tx() as tx:
        body = json.dumps({"event_id": "x", "customer_id": CUSTOMER, "amount": "no number"}).encode()
        parsed = parsing.parse_group(
            contracts.contract("transaction"), [Body(data=body, format="ndjson", source="test")], tx.now()
        )
        receipts.append(tx, parsed, 1)
    writer = warehouse.LakeWriter(access.url, access.settings)
    batch = sample_batch(tenant, 0, 40, extra="customer_id")
    own = pa.array([f"account_id-{n}" for n in range(40)])
    place = batch.events.schema.get_field_index("account_id")
    writer.put(replace(batch, events=batch.events.set_column(place, "account_id", own)))
    assert writer.flush()
    writer.close()
    return firm


def _approved(
    firm: Firm, manager: Actor, administrator: Actor, kind: RequestKind, subject_kind: SubjectKind, subject: str
) -> RequestWithSteps:
    with firm.tx(manager) as tx:
        found = requests.open_request(
            tx, kind=kind, law=Law.GDPR, subject_kind=subject_kind, subject=subject, detail="I am leaving."
        )
        for step in (Step.VERIFY, Step.PROPOSE):
            found = requests.take_step(tx, found.request.id, step=step, note="ok", version=found.request.version)
    with firm.tx(administrator) as tx:
        found = requests.approve(tx, found.request.id, step=Step.APPROVE, note="", version=found.request.version)
        if kind is RequestKind.ERASE:
            assert tx.facts == [ErasureApproved(request_id=found.request.id)]
            tx.facts.clear()
    return found


def _carry_out(jobs: Database, firm: Firm, found: RequestWithSteps, access: warehouse.LakeAccess) -> None:
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        handlers.erase_person(tx, ErasureApproved(request_id=found.request.id), access)


def _expect_nowhere(folder: str) -> None:
    """No file of the lake holds the customer."""
    files = list(Path(folder).rglob("*.parquet"))
    assert files
    for file in files:
        for column in pq.read_table(file).columns:
            assert CUSTOMER not in column.to_pylist(), file


def test_i02_an_erased_customer_is_found_nowhere(
    furnished: Firm,
    jobs: Database,
    access: warehouse.LakeAccess,
    reader: warehouse.LakeReader,
    manager: Actor,
    administrator: Actor,
    clock: FixedClock,
    database_url: str,
) -> None:
    tenant = furnished.tenant.id
    before = reader.read(tenant, "select account_id, count(*) as n from transactions group by 1").to_pylist()
    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)
    assert found.request.state is RequestState.RUNNING
    _carry_out(jobs, furnished, found, access)
    _carry_out(jobs, furnished, found, access)  # a job may run twice
    with furnished.tx() as tx:
        done = requests.get_request(tx, found.request.id)
        assert done.request.state is RequestState.DONE
        assert done.request.subject == done.request.detail == "(erased)"
        assert "1 alerts" in done.steps[-1].note
        assert "1 refused records" in done.steps[-1].note
        assert "1 rows of transactions in the lake" in done.steps[-1].note
        assert decisions.alerts_of_customer(tx, CUSTOMER) == []
        assert len(decisions.alerts_of_customer(tx, "customer_id-4")) == 1
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (name,) in tables:
            hits = connection.execute(f'select count(*) from "{name}" t where t::text like %s', (f"%{CUSTOMER}%",))
            assert hits.fetchone() == (0,), name
            hexed = connection.execute(
                f'select count(*) from "{name}" t where t::text like %s', (f"%{CUSTOMER.encode().hex()}%",)
            )
            # The event log keeps what came in until its partition is dropped; nothing was logged here.
            assert hexed.fetchone() == (0,), name
    rows = reader.read(tenant, "select customer_id, account_id from transactions order by log_offset").to_pylist()
    assert len(rows) == 40
    assert rows[3]["customer_id"].startswith("erased-")
    assert rows[3]["account_id"].startswith("erased-")
    assert rows[4]["customer_id"] == "customer_id-4"
    assert sum(one["n"] for one in before) == 40
    warehouse.compact(access, tenant, clock=FixedClock(Database(jobs.url, jobs.role).clock.now() + timedelta(hours=3)))
    _expect_nowhere(access.address(tenant))


def test_i02_a_customer_is_erased_while_records_keep_coming_into_the_lake(
    furnished: Firm, jobs: Database, access: warehouse.LakeAccess, reader: warehouse.LakeReader, manager: Actor,
    administrator: Actor,
) -> None:  # fmt: skip
    tenant, over = furnished.tenant.id, threading.Event()
    appender, added = Appender(access), 0

    def keep_coming() -> int:
        rows = 40
        while not over.is_set():
            rows += appender.append([sample_batch(tenant, rows, 5)]).added["transactions"]
        return rows

    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)
    try:
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(keep_coming)
            try:
                # Not once: each of these might find the lake alone by chance.
                for number in (5, 6):
                    columns = {"transaction": {"customer_id": "pseudonym"}}
                    warehouse.part_customer(access, tenant, f"customer_id-{number}", "salt", columns)
                _carry_out(jobs, furnished, found, access)
            finally:
                over.set()
            added = coming.result(60)
    finally:
        appender.close()
    query = "select count(*) as n, count(*) filter (starts_with(customer_id, 'erased-')) as parted from transactions"
    assert reader.read(tenant, query).to_pylist() == [{"n": added, "parted": 3}]


def test_i02_an_erasure_that_stopped_half_way_leaves_nothing_when_it_is_done_again(
    furnished: Firm,
    jobs: Database,
    access: warehouse.LakeAccess,
    manager: Actor,
    administrator: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = furnished.tenant.id
    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)

    def stops(*_: object) -> None:
        raise duckdb.IOException("the disk is full")

    with monkeypatch.context() as patch, access.catalogue() as compaction:
        patch.setattr(catalogue, "_PATIENCE_S", 0.1)
        catalogue.Catalogue(compaction, tenant).work_alone()
        with pytest.raises(LakeUnavailable, match="Somebody else merges"):
            _carry_out(jobs, furnished, found, access)
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_forget_history", stops)
        with pytest.raises(LakeUnavailable):
            _carry_out(jobs, furnished, found, access)
    _carry_out(jobs, furnished, found, access)
    assert len(warehouse.snapshots(access, tenant, 10)) == 1
    warehouse.compact(access, tenant, clock=FixedClock(Database(jobs.url, jobs.role).clock.now() + timedelta(hours=3)))
    _expect_nowhere(access.address(tenant))


def test_i02_a_row_of_a_known_fraud_no_longer_says_whose_account_it_was(
    furnished: Firm,
    jobs: Database,
    access: warehouse.LakeAccess,
    manager: Actor,
    administrator: Actor,
    database_url: str,
) -> None:
    tenant = furnished.tenant.id
    writer = warehouse.LakeWriter(access.url, access.settings)
    writer.put(sample_batch(tenant, 40, 1, extra="merchant_id"))
    assert writer.flush()
    writer.close()
    with jobs.transaction(tenant, SYSTEM) as tx:
        made = [START + timedelta(seconds=number) for number in (3, 4)]
        facts = [
            AlertResolved(f"event-{number}", at, "confirmed_fraud", at, "chargeback")
            for number, at in zip((3, 4), made, strict=True)
        ]
        append_label(tx, facts, access)

    def accounts() -> list[tuple[str, bool]]:
        query = "select event_id, account_id_hash is not null from fraud_label_rows where tenant_id = %s order by 1"
        with psycopg.connect(database_url) as connection:
            return connection.execute(query, (tenant,)).fetchall()

    def interrupted() -> None:
        with jobs.transaction(tenant, SYSTEM) as tx:
            handlers.erase_person(tx, ErasureApproved(request_id=found.request.id), access)
            raise InterruptedError

    assert accounts() == [("event-3", True), ("event-4", True)]
    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)
    # A try that changed the lake and then failed leaves the row as it was; the next finds it all the same.
    with pytest.raises(InterruptedError):
        interrupted()
    assert accounts() == [("event-3", True), ("event-4", True)]
    _carry_out(jobs, furnished, found, access)
    assert accounts() == [("event-3", False), ("event-4", True)]


def test_i02_an_erased_member_of_staff_is_unreadable_also_in_a_copy_of_the_tables(
    firm: Firm, jobs: Database, access: warehouse.LakeAccess, manager: Actor, administrator: Actor
) -> None:
    user = firm.user(Role.AUDITOR)
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "browser", factor=Factor.PASSWORD)
        people.create_sign_in_link(tx, email=user.email)
        copied = tx.connection.exec_driver_sql(
            "select email_sealed, name_sealed from identity_users where id = %s", (user.id,)
        ).one()
    found = _approved(firm, manager, administrator, RequestKind.ERASE, SubjectKind.USER, user.email)
    _carry_out(jobs, firm, found, access)
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        assert tx.keys is not None
        for keys in (tx.keys, Keyring(tx.keys.service)):
            again = people.get_user(dataclasses.replace(tx, keys=keys), user.id)
            assert (again.email, again.name) == ("(erased)", "(erased)")
            assert again.disabled_at is not None
        kept = tx.connection.exec_driver_sql(
            "select count(*) from kit_keys where tenant_id = %s and id = any(%s::uuid[])",
            (firm.tenant.id, [bytes(value)[2:18].hex() for value in copied]),
        )
        assert kept.scalar_one() == 0
    with firm.tx() as tx:
        again = people.create_user(tx, firm.settings, email=user.email, name="New", role=Role.AUDITOR, password=None)
        assert again.id != user.id
        with pytest.raises(AlreadyExists):
            people.create_user(tx, firm.settings, email=user.email, name="New", role=Role.AUDITOR, password=None)


def test_a_hold_placed_after_the_approval_still_stops_the_job(
    furnished: Firm, jobs: Database, access: warehouse.LakeAccess, manager: Actor, administrator: Actor
) -> None:
    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)
    with furnished.tx(manager) as tx:
        holds.place_hold(tx, kind=HoldKind.LEGAL, subject_kind=SubjectKind.CUSTOMER, subject=CUSTOMER, reason="dispute")
    with pytest.raises(UnderHold):
        _carry_out(jobs, furnished, found, access)
    with furnished.tx() as tx:
        assert len(decisions.alerts_of_customer(tx, CUSTOMER)) == 1
    with furnished.tx(manager) as tx:
        done = requests.take_step(
            tx, found.request.id, step=Step.RESTRICT, note="The dispute lasts.", version=found.request.version
        )
        assert done.request.state is RequestState.DONE
    _carry_out(jobs, furnished, found, access)
    with furnished.tx() as tx:
        assert len(decisions.alerts_of_customer(tx, CUSTOMER)) == 1


def test_an_erasure_that_was_held_up_goes_on_when_the_last_hold_is_released(
    furnished: Firm, jobs: Database, access: warehouse.LakeAccess, manager: Actor, administrator: Actor
) -> None:
    found = _approved(furnished, manager, administrator, RequestKind.ERASE, SubjectKind.CUSTOMER, CUSTOMER)
    with furnished.tx(manager) as tx:
        both = [
            holds.place_hold(tx, kind=kind, subject_kind=SubjectKind.CUSTOMER, subject=CUSTOMER, reason="dispute")
            for kind in (HoldKind.LEGAL, HoldKind.AML)
        ]
        other = holds.place_hold(
            tx, kind=HoldKind.LEGAL, subject_kind=SubjectKind.CUSTOMER, subject="customer_id-4", reason="dispute"
        )
    waits: list[list[object]] = []
    for hold in (other, *both):
        with furnished.tx(administrator) as tx:
            holds.release_hold(tx, hold)
            waits.append(list(tx.facts))
            tx.facts.clear()
    assert waits == [[], [], [ErasureApproved(request_id=found.request.id)]]
    _carry_out(jobs, furnished, found, access)
    with furnished.tx() as tx:
        assert decisions.alerts_of_customer(tx, CUSTOMER) == []


def test_a_hold_on_a_member_of_staff_keeps_them_whether_named_by_address_or_by_id(
    firm: Firm, jobs: Database, access: warehouse.LakeAccess, manager: Actor, administrator: Actor
) -> None:
    user = firm.user(Role.AUDITOR)
    found = _approved(firm, manager, administrator, RequestKind.ERASE, SubjectKind.USER, user.email)
    for name in (user.email.upper(), f"usr_{user.id.hex}"):
        with firm.tx(manager) as tx:
            hold = holds.place_hold(
                tx, kind=HoldKind.LEGAL, subject_kind=SubjectKind.USER, subject=name, reason="dispute"
            )
        with pytest.raises(UnderHold):
            _carry_out(jobs, firm, found, access)
        with firm.tx(administrator) as tx:
            holds.release_hold(tx, hold)
            tx.facts.clear()
    _carry_out(jobs, firm, found, access)
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        assert people.get_user(tx, user.id).email == "(erased)"


def test_a_person_gets_a_file_that_people_and_machines_read(
    furnished: Firm,
    access: warehouse.LakeAccess,
    reader: warehouse.LakeReader,
    manager: Actor,
    administrator: Actor,
) -> None:
    orders = order_batch(furnished.tenant.id, 0, 1)
    more = {"customer_id": pa.array([CUSTOMER]), "unit_cost_minor": pa.array([654_321])}
    writer = warehouse.LakeWriter(access.url, access.settings)
    events = {name: orders.events.column(name) for name in orders.events.schema.names}
    writer.put(replace(orders, events=pa.RecordBatch.from_pydict(events | more)))
    assert writer.flush()
    writer.close()
    found = _approved(furnished, manager, administrator, RequestKind.ACCESS, SubjectKind.CUSTOMER, CUSTOMER)
    with furnished.tx(administrator) as tx:
        made = json.loads(export.export_file(tx, furnished.settings, reader, found.request.id, html=False))
        assert made["about"]["id"] == CUSTOMER
        assert [one["event_id"] for one in made["records"]["lake.transaction"]] == ["event-3"]
        (order,) = made["records"]["lake.order"]
        assert order["event_id"] == "order-0"
        assert "unit_cost_minor" not in order, "what goods cost is a secret of the firm"
        assert len(made["records"]["alerts"]) == 1
        assert any(one["purpose"].startswith("To stop fraud") for one in made["why"])
        page = export.export_file(tx, furnished.settings, reader, found.request.id, html=True).decode()
        assert "<script" not in page
        assert "Sari-sari 50% Store" in page
        assert "customer_id-4" not in page + json.dumps(made)
        steps = requests.get_request(tx, found.request.id).steps
        assert [one.note for one in steps if one.step is Step.DOWNLOAD] == ["JSON", "HTML"]


def test_there_is_no_file_before_a_second_person_agreed(
    furnished: Firm, reader: warehouse.LakeReader, manager: Actor
) -> None:
    with furnished.tx(manager) as tx:
        found = requests.open_request(
            tx, kind=RequestKind.ACCESS, law=Law.GDPR, subject_kind=SubjectKind.CUSTOMER, subject=CUSTOMER, detail=""
        )
        with pytest.raises(StepNotPossible):
            export.export_file(tx, furnished.settings, reader, found.request.id, html=False)


def test_i02_an_erased_payee_is_unreadable_in_screening_and_is_told_what_was_kept_before(
    firm: Firm,
    jobs: Database,
    access: warehouse.LakeAccess,
    reader: warehouse.LakeReader,
    manager: Actor,
    administrator: Actor,
) -> None:
    payee = Subject(kind=ScreenedKind.PAYEE, reference="acc_77", profile=Profile(names=("Vladimir Petrov",)))
    other = replace(payee, reference="acc_78")
    with firm.tx() as tx:
        subjects.check(tx, payee)
        subjects.check(tx, other)
        told = export.person_document(tx, firm.settings, reader, SubjectKind.PAYEE, "acc_77")
    assert "Vladimir Petrov" in json.dumps(told["records"]["screened"])
    assert any("screened" in one["what"] or "screening" in one["what"] for one in told["why"])
    found = _approved(firm, manager, administrator, RequestKind.ERASE, SubjectKind.PAYEE, "acc_77")
    _carry_out(jobs, firm, found, access)
    _carry_out(jobs, firm, found, access)
    with firm.tx() as tx:
        done = requests.get_request(tx, found.request.id)
        assert (done.request.state, done.request.subject) == (RequestState.DONE, "(erased)")
        assert "1 screened payees" in done.steps[-1].note
        assert subjects.kept(tx, ScreenedKind.PAYEE, "acc_77") == (None, [])
        assert subjects.kept(tx, ScreenedKind.PAYEE, "acc_78")[0] == other
