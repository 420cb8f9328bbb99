"""I03: the audit trail cannot be changed, and what somebody changes behind its back is named."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from finer.app.audit_keeper import AuditKeeper, verify_chain, verify_new
from finer.identity.service import audit, chain
from finer.identity.types.audit import AuditFilter, Verification
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import API, WORKER, Database
from finer.kit.settings import Settings
from finer.kit.signing import Signer
from tests.support.clocks import on_clock
from tests.support.identity import Firm

_COPY_ENTRY = """
insert into identity_audit_entries
select tenant_id, %s, at, actor_kind, actor_id, actor_name, actor_role, action, subject, outcome, origin, detail
  from identity_audit_entries where id = %s
"""


@dataclass
class Trail:
    """A firm with a sealed trail, and the means to attack it."""

    firm: Firm
    worker: Database
    settings: Settings
    url: str

    def write(self, count: int, firm: Firm | None = None) -> None:
        for number in range(count):
            with (firm or self.firm).tx() as tx:
                audit.record_audit(tx, "alerts:resolve", f"alr_{number}", {"note": "tab\tline\nslash\\ ☂", "n": number})

    def keep(self, firm: Firm | None = None) -> None:
        """What the keeper does for a firm; a new keeper would first look after all firms that other tests made."""
        signer = Signer.at(chain.key_file(self.settings))
        with self.worker.transaction((firm or self.firm).tenant.id, SYSTEM) as tx:
            chain.seal(tx)
            chain.sign_head(tx, self.settings, signer)

    def verify(self, *, incremental: bool = False) -> Verification:
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            run = chain.begin_verification(tx, incremental=incremental)
        return verify_chain(self.worker, self.settings, self.firm.tenant.id, run)

    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.verify().findings]

    def entry(self, sequence: int) -> uuid.UUID:
        with self.firm.tx() as tx:
            lines, _ = audit.search_audit(tx, AuditFilter(), 500)
        return next(line.id for line in lines if line.sequence == sequence)

    def last(self) -> int:
        with self.firm.tx() as tx:
            return chain.chain_status(tx).sequence

    @contextmanager
    def behind_its_back(self) -> Iterator[psycopg.Connection[Any]]:
        """The database's administrator with every trigger off: what a stolen superuser can do."""
        with psycopg.connect(self.url) as connection:
            for table in ("entries", "seals", "heads"):
                connection.execute(f"alter table identity_audit_{table} disable trigger all")
            yield connection
            for table in ("entries", "seals", "heads"):
                connection.execute(f"alter table identity_audit_{table} enable trigger user")
                for name in ("append_only", "no_truncate"):
                    connection.execute(f"alter table identity_audit_{table} enable always trigger {name}")


@pytest.fixture
def trail(
    firm: Firm, database_url: str, worker_database: Database, clock: FixedClock, settings: Settings, tmp_path: Path
) -> Trail:
    worker = on_clock(worker_database, clock)
    chosen = msgspec.structs.replace(
        settings, audit_key_file=str(tmp_path / "keys" / "audit.pem"), audit_heads_dir=str(tmp_path / "heads")
    )
    made = Trail(firm, worker, chosen, database_url)
    made.write(12)
    made.keep()
    return made


def test_i03_an_untouched_trail_verifies(trail: Trail) -> None:
    run = trail.verify()
    assert (run.findings, run.checked, run.last_sequence) == ([], 13, 13)
    with trail.firm.tx() as tx:
        status = chain.chain_status(tx)
    assert (status.sequence, status.waiting) == (13, 0)
    assert status.head is not None
    assert status.head.sequence == 13
    assert status.verified is not None
    assert status.verified.id == run.id


@pytest.mark.parametrize("role", [API, WORKER])
@pytest.mark.parametrize("table", ["entries", "seals", "heads"])
@pytest.mark.parametrize("act", ["update identity_audit_{} set tenant_id = tenant_id", "delete from identity_audit_{}"])
def test_i03_no_role_of_the_application_changes_the_trail(trail: Trail, role: str, table: str, act: str) -> None:
    database = Database(trail.url, role, connections=2)
    firm = Firm(database, trail.settings, trail.firm.tenant)
    for statement in (act, "truncate identity_audit_{}"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), firm.tx() as tx:
            tx.connection.exec_driver_sql(statement.format(table))
    database.close()


def test_i03_the_api_cannot_seal(trail: Trail) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), trail.firm.tx() as tx:
        tx.connection.exec_driver_sql(
            "insert into identity_audit_seals values (%s, 99, %s, %s, now())",
            (trail.firm.tenant.id, uuid.uuid4(), b"x" * 32),
        )
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), trail.firm.tx() as tx:
        tx.connection.exec_driver_sql("delete from identity_audit_waiting")


@pytest.mark.parametrize("table", ["entries", "seals", "heads"])
@pytest.mark.parametrize(
    "act",
    [
        "update identity_audit_{} set tenant_id = tenant_id",
        "delete from identity_audit_{}",
        "truncate identity_audit_{}",
    ],
)
@pytest.mark.parametrize("replica", [False, True])
def test_i03_the_owner_is_refused_too(trail: Trail, table: str, act: str, replica: bool) -> None:
    with psycopg.connect(trail.url) as connection:
        if replica:
            connection.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute(act.format(table))


@pytest.mark.parametrize(
    "change", ["outcome = 'refused'", "at = at + interval '1 hour'", "detail = '{}'", "session = 'x'"]
)
def test_i03_an_altered_row_is_named(trail: Trail, change: str) -> None:
    entry = trail.entry(5)
    with trail.behind_its_back() as connection:
        connection.execute(f"update identity_audit_entries set {change} where id = %s", (entry,))
    [finding] = trail.verify().findings
    assert (finding.kind, finding.sequence, finding.entry) == ("altered", 5, f"aud_{entry.hex}")
    assert "aud_" in finding.says


def test_i03_a_deleted_row_is_named(trail: Trail) -> None:
    entry = trail.entry(7)
    with trail.behind_its_back() as connection:
        connection.execute("delete from identity_audit_entries where id = %s", (entry,))
    [finding] = trail.verify().findings
    assert (finding.kind, finding.sequence, finding.entry) == ("missing", 7, f"aud_{entry.hex}")


def test_i03_a_row_deleted_with_its_seal_is_named(trail: Trail) -> None:
    entry = trail.entry(7)
    with trail.behind_its_back() as connection:
        connection.execute("delete from identity_audit_entries where id = %s", (entry,))
        connection.execute("delete from identity_audit_seals where entry_id = %s", (entry,))
    [finding] = trail.verify().findings
    assert (finding.kind, finding.sequence, finding.says) == ("missing", 7, "Sequence 7 is missing.")


def test_i03_a_row_deleted_before_its_seal_is_named(trail: Trail) -> None:
    trail.write(1)
    with trail.behind_its_back() as connection:
        connection.execute(
            "delete from identity_audit_entries where id in (select entry_id from identity_audit_waiting "
            "where tenant_id = %s)",
            (trail.firm.tenant.id,),
        )
    trail.keep()
    [finding] = trail.verify().findings
    assert (finding.kind, finding.says[-29:]) == ("missing", "deleted before it was sealed.")
    with trail.behind_its_back() as connection:
        connection.execute("delete from identity_audit_waiting where tenant_id = %s", (trail.firm.tenant.id,))


def test_i03_a_deleted_tail_is_noticed_by_the_signed_head(trail: Trail) -> None:
    with trail.behind_its_back() as connection:
        for table, column in (("entries", "id"), ("seals", "entry_id")):
            connection.execute(f"delete from identity_audit_{table} where {column} = %s", (trail.entry(13),))
        connection.execute("delete from identity_audit_heads where tenant_id = %s", (trail.firm.tenant.id,))
    findings = trail.verify().findings
    assert [finding.kind for finding in findings] == ["truncated"]
    assert "there were 13 entries" in findings[0].says


def test_i03_reordered_rows_are_named(trail: Trail) -> None:
    with trail.behind_its_back() as connection:
        swap = "update identity_audit_seals set entry_id = %s where entry_id = %s"
        four, nine, aside = trail.entry(4), trail.entry(9), uuid.uuid4()
        for new, old in ((aside, four), (four, nine), (nine, aside)):
            connection.execute(swap, (new, old))
    found = {(finding.kind, finding.sequence) for finding in trail.verify().findings}
    assert found == {("reordered", 4), ("reordered", 9)}


def test_i03_an_inserted_row_is_named(trail: Trail) -> None:
    with trail.behind_its_back() as connection:
        forged = uuid.uuid4()
        connection.execute(_COPY_ENTRY, (forged, trail.entry(6)))
        connection.execute(
            "update identity_audit_seals set sequence = -sequence + 1000 where tenant_id = %s and sequence > 6",
            (trail.firm.tenant.id,),
        )
        connection.execute(
            "update identity_audit_seals set sequence = 1000 - sequence + 1 where tenant_id = %s and sequence > 900",
            (trail.firm.tenant.id,),
        )
        connection.execute(
            "insert into identity_audit_seals values (%s, 7, %s, %s, now())",
            (trail.firm.tenant.id, forged, b"f" * 32),
        )
    kinds = {(finding.kind, finding.sequence) for finding in trail.verify().findings}
    assert ("inserted", 7) in kinds
    assert not {kind for kind, _ in kinds} - {"inserted", "rewritten"}


def test_i03_a_row_slipped_in_without_a_seal_is_named(trail: Trail, clock: FixedClock) -> None:
    with trail.behind_its_back() as connection:
        forged = uuid.uuid4()
        connection.execute(_COPY_ENTRY, (forged, trail.entry(6)))
    clock.advance(timedelta(minutes=5))
    [finding] = trail.verify().findings
    assert (finding.kind, finding.entry) == ("unsealed", f"aud_{forged.hex}")


def test_i03_a_chain_computed_anew_does_not_fit_its_signed_head(trail: Trail) -> None:
    tenant = trail.firm.tenant.id
    with trail.behind_its_back() as connection:
        connection.execute("update identity_audit_entries set outcome = 'kind' where id = %s", (trail.entry(5),))
        connection.execute(
            "insert into identity_audit_waiting select tenant_id, id from identity_audit_entries where tenant_id = %s",
            (tenant,),
        )
        connection.execute("delete from identity_audit_seals where tenant_id = %s", (tenant,))
    with trail.worker.transaction(tenant, SYSTEM) as tx:
        assert chain.seal(tx) == 13
    assert trail.kinds() == ["rewritten"]


def test_i03_a_head_without_a_good_signature_is_named(trail: Trail, tmp_path: Path) -> None:
    with trail.behind_its_back() as connection:
        connection.execute(
            "update identity_audit_heads set signature = %s where tenant_id = %s", (b"s" * 64, trail.firm.tenant.id)
        )
    [finding] = trail.verify().findings
    assert (finding.kind, finding.sequence) == ("forged", 13)
    [file] = (tmp_path / "heads" / trail.firm.tenant.id.hex).glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b"not a head\n")
    assert trail.kinds() == ["forged", "forged"]


def test_i03_a_head_of_another_firm_counts_for_nothing(trail: Trail, other_firm: Firm, tmp_path: Path) -> None:
    trail.write(30, other_firm)
    trail.keep(other_firm)
    heads = tmp_path / "heads"
    [foreign] = (heads / other_firm.tenant.id.hex).glob("*.jsonl")
    (heads / trail.firm.tenant.id.hex / "2020-01.jsonl").write_bytes(foreign.read_bytes())
    assert trail.kinds() == ["forged"]


def test_i03_an_incremental_run_starts_where_the_last_good_one_ended(trail: Trail) -> None:
    trail.verify()
    trail.write(3)
    trail.keep()
    run = trail.verify(incremental=True)
    assert (run.first_sequence, run.checked, run.findings) == (13, 3, [])
    with trail.behind_its_back() as connection:
        connection.execute(
            "update identity_audit_seals set hash = %s where tenant_id = %s and sequence = 16",
            (b"h" * 32, trail.firm.tenant.id),
        )
    assert "rewritten" in {finding.kind for finding in trail.verify(incremental=True).findings}
    with trail.behind_its_back() as connection:
        connection.execute(
            "delete from identity_audit_seals where tenant_id = %s and sequence > 14", (trail.firm.tenant.id,)
        )
    assert trail.kinds() != []


def test_i03_many_writers_leave_no_gap(trail: Trail, database_url: str) -> None:
    stop = threading.Event()

    def keep() -> None:
        keeper = AuditKeeper(trail.worker, trail.settings)
        while not stop.is_set():
            keeper.tick()

    def write() -> None:
        trail.write(40)

    keepers = [threading.Thread(target=keep) for _ in range(2)]
    writers = [threading.Thread(target=write) for _ in range(6)]
    for thread in (*keepers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in keepers:
        thread.join()
    trail.keep()
    run = trail.verify()
    assert (run.findings, run.checked) == ([], 13 + 240)


def test_i03_a_crash_between_the_act_and_its_seal_loses_nothing(trail: Trail) -> None:
    trail.write(4)
    try:
        with trail.worker.transaction(trail.firm.tenant.id, SYSTEM) as tx:
            assert chain.seal(tx) == 4
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert trail.last() == 13
    trail.keep()
    run = trail.verify()
    assert (run.findings, run.checked) == ([], 17)


def test_i03_a_transaction_rolled_back_leaves_no_entry_and_no_gap(trail: Trail) -> None:
    with trail.firm.tx() as tx:
        audit.record_audit(tx, "alerts:resolve", "alr_x")
        tx.connection.rollback()
    trail.write(1)
    trail.keep()
    run = trail.verify()
    assert (run.findings, run.checked) == ([], 14)


def test_i03_every_chain_of_the_installation_is_verified(trail: Trail) -> None:
    runs = dict(verify_new(trail.worker, trail.settings, incremental=False))
    assert trail.firm.tenant.slug in runs
    assert "(installation)" in runs


def test_i03_the_chain_of_one_firm_is_not_read_by_another(trail: Trail, other_firm: Firm) -> None:
    run = trail.verify()
    for table in ("seals", "heads", "waiting", "verifications"):
        with other_firm.tx() as tx:
            count = f"select count(*) from identity_audit_{table} where tenant_id = '{trail.firm.tenant.id}'"
            assert tx.connection.exec_driver_sql(count).scalar_one() == 0
    with other_firm.tx() as tx, pytest.raises(Exception, match="no verification"):
        chain.get_verification(tx, run.id)


def test_i03_the_private_key_is_for_its_owner_alone(trail: Trail, tmp_path: Path) -> None:
    assert (tmp_path / "keys" / "audit.pem").stat().st_mode & 0o777 == 0o400
    assert len(list((tmp_path / "keys").glob("*.pub"))) == 1
