"""One refused record given up by hand: for a reason, once, and not when somebody else has dealt with it."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from finer.identity.service.audit import list_audit
from finer.ingest import invariants
from finer.ingest.errors import NotWaiting
from finer.ingest.service import acts, contracts, quarantine, receipts, repairs
from finer.ingest.types.quarantine import Selection
from finer.kit.db import Database
from finer.kit.errors import InvalidInput, NotFound
from finer.kit.ids import show_id
from finer.kit.log import decode
from finer.kit.tx import Tx
from tests.ingest.records import line, lines
from tests.ingest.test_quarantine import ENGINEER, TRANSACTIONS, act, one, send

REASON = "Sent twice by the till"
_SOMEBODY_WAITS = "select exists(select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)))"


def only(identifier: uuid.UUID, state: str | None = None) -> Selection:
    return Selection(contract="transaction", ids=(identifier,), state=state)


def _until_it_waits(tx: Tx, begun: Future[None]) -> None:
    """Look until somebody waits for what this transaction has locked."""
    while not tx.connection.exec_driver_sql(_SOMEBODY_WAITS).scalar_one():
        assert not begun.done()
        tx.connection.exec_driver_sql("select pg_sleep(0.05)")


def test_a_record_is_discarded_for_a_reason_and_accounted_for(tx: Tx) -> None:
    receipt = send(tx, lines(2) + line(event_id="e7", amount="-12.50") + b"\n" + line(event_id="e8", amount="-1"))
    record, other = quarantine.list_quarantined(tx).items
    for reason in ("", "   ", " no ", "x" * 1_001):
        with pytest.raises(InvalidInput, match="5 to 1000 characters"):
            act(tx, "discard", only(record.id), reason=reason)
    assert act(tx, "discard", only(record.id), reason=f"  {REASON} ").changed == 1
    found = quarantine.get_quarantined(tx, record.id)
    assert (found.state, found.raw) == ("discarded", record.raw)
    [done] = acts.list_acts(tx).items
    assert (done.id, done.reason, done.matched, done.changed) == (found.act_id, REASON, 1, 1)
    account = receipts.get_receipt(tx, receipt.id)
    assert (account.received, account.accepted, account.quarantined, account.released) == (4, 2, 2, 0)
    assert invariants.every_refused_record_is_kept(tx) == []
    [entry] = [entry for entry in list_audit(tx, 10, None) if entry.action == "quarantine:discard"]
    assert (entry.subject, entry.detail["record"]) == (show_id("act", done.id), show_id("qua", record.id))
    assert entry.detail["reason"] == REASON
    assert quarantine.get_quarantined(tx, other.id).state == "open"


def test_a_record_that_somebody_else_dealt_with_is_not_discarded(tx: Tx) -> None:
    send(tx, line(event_id="e1", currency="usd") + b"\n" + line(event_id="e2", currency="usd"))
    given_up, sent_on = quarantine.list_quarantined(tx).items
    act(tx, "edit", only(sent_on.id), assignments=[("currency", "'USD'")])
    act(tx, "release", only(sent_on.id))
    act(tx, "discard", only(given_up.id), reason=REASON)
    begun = len(acts.list_acts(tx).items)
    with pytest.raises(NotWaiting, match=f"{show_id('qua', sent_on.id)} is released already"):
        act(tx, "discard", only(sent_on.id), reason=REASON)
    with pytest.raises(NotWaiting, match="is discarded already"):
        act(tx, "discard", only(given_up.id), reason=REASON)
    with pytest.raises(NotWaiting, match="is discarded already"):
        act(tx, "release", only(given_up.id))
    with pytest.raises(NotFound, match="There is no quarantined record"):
        act(tx, "discard", only(uuid.uuid4()), reason=REASON)
    assert len(acts.list_acts(tx).items) == begun
    # Put back, it can be given up again.
    assert act(tx, "undo", only(given_up.id, state="discarded")).changed == 1
    with pytest.raises(NotWaiting, match="is open already"):
        act(tx, "undo", only(given_up.id, state="discarded"))
    assert act(tx, "discard", only(given_up.id), reason=REASON).changed == 1


def test_a_record_is_released_or_discarded_whoever_asks_first(database: Database, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        receipt = send(tx, line(event_id="e1", currency="usd"))
        record = one(tx)
        act(tx, "edit", only(record.id), assignments=[("currency", "'USD'")])
    together, done = threading.Barrier(4), []

    def ask(kind: acts.Kind) -> None:
        together.wait()
        try:
            with database.transaction(tenant, ENGINEER) as tx:
                done.extend([kind] * act(tx, kind, only(record.id), reason=REASON).changed)
        except NotWaiting:
            return

    threads = [threading.Thread(target=ask, args=(kind,)) for kind in ("release", "discard") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction(tenant, ENGINEER) as tx:
        [kind] = done
        assert quarantine.get_quarantined(tx, record.id).state == {"release": "released", "discard": "discarded"}[kind]
        found = receipts.get_receipt(tx, receipt.id)
        assert (found.released, found.quarantined) == ((1, 0) if kind == "release" else (0, 1))
        assert invariants.every_refused_record_is_kept(tx) == []


@pytest.mark.parametrize("kind", ["edit", "release", "discard"])
def test_whoever_waits_for_somebody_elses_act_on_a_record_is_told_what_became_of_it(
    kind: acts.Kind, database: Database, tenant: uuid.UUID
) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        send(tx, line(event_id="e1", currency="usd"))
        record = one(tx)

    def come_second() -> None:
        assigned = [("currency", "'USD'")] if kind == "edit" else []
        with database.transaction(tenant, ENGINEER) as tx:
            act(tx, kind, only(record.id), assignments=assigned, reason=REASON)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction(tenant, ENGINEER) as tx:
            act(tx, "discard", only(record.id), reason=REASON)
            second = pool.submit(come_second)
            _until_it_waits(tx, second)
        with pytest.raises(NotWaiting, match="is discarded already"):
            second.result()
    with database.transaction(tenant, ENGINEER) as tx:
        assert [one.kind for one in acts.list_acts(tx).items] == ["discard"]
        assert len([entry for entry in list_audit(tx, 10, None) if entry.action.startswith("quarantine:")]) == 1


@pytest.mark.parametrize("kind", ["edit", "release"])
def test_what_is_written_by_hand_while_an_act_waits_for_it_is_what_the_act_finds(
    kind: acts.Kind, database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        send(tx, line(event_id="e1", currency="usd", amount="12.50"))
        record = one(tx)
        repairs.edit_record(tx, record.id, {"currency": "USD", "amount": "1.00"})

    def carry_out() -> None:
        assigned = [("mcc", "'5999'")] if kind == "edit" else []
        with database.transaction(tenant, ENGINEER) as tx:
            assert act(tx, kind, TRANSACTIONS, assignments=assigned).changed == 1

    with ThreadPoolExecutor(1) as pool:
        with database.transaction(tenant, ENGINEER) as tx:
            repairs.edit_record(tx, record.id, {"amount": "2.00"})
            begun = pool.submit(carry_out)
            _until_it_waits(tx, begun)
        begun.result()
    if kind == "edit":
        with database.transaction(tenant, ENGINEER) as tx:
            found = quarantine.get_quarantined(tx, record.id)
            values = {one.name: one.value for one in quarantine.fields_of(found, contracts.load(tx))}
            assert (values["amount"], values["mcc"]) == ("2.00", "5999")
            assert act(tx, "release").changed == 1
    with worker_database.transaction(tenant, ENGINEER) as tx:
        [payload] = tx.connection.exec_driver_sql(
            "select payload from kit_log where tenant_id = %s", (tenant,)
        ).scalars()
    assert [row["amount_minor"] for row in decode(bytes(payload)).to_pylist()] == [200]
