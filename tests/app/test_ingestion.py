"""Bodies that arrive together share a commit, but not each other's mistakes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from finer.app.contracts import Registry
from finer.app.ingestion import Ingestion
from finer.ingest.service import quarantine, receipts
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.db import API, Database, connect
from finer.kit.errors import TooManyRequests
from finer.kit.settings import Settings
from tests.ingest.records import lines


@pytest.fixture
def ingestion(database: Database) -> Iterator[Ingestion]:
    found = Ingestion(database, Settings(), Registry(database))
    found.start()
    yield found
    found.close()


def _send(ingestion: Ingestion, tenant: uuid.UUID, *bodies: Body) -> list[Receipt | BaseException]:
    async def all_at_once() -> list[Receipt | BaseException]:
        waiting = (ingestion.submit(tenant, SYSTEM, "transaction", body) for body in bodies)
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(all_at_once())


def _keyed(key: str | None, records: int, start: int) -> Body:
    return Body(data=lines(records, start=start), idempotency_key=key)


def _accepted(answers: list[Receipt | BaseException]) -> list[int | str]:
    return [one.accepted if isinstance(one, Receipt) else type(one).__name__ for one in answers]


def test_a_key_brings_its_first_receipt_back_and_refuses_another_body(ingestion: Ingestion, tenant: uuid.UUID) -> None:
    (first,) = _send(ingestion, tenant, _keyed("k", 2, 0))
    again, other, plain = _send(ingestion, tenant, _keyed("k", 2, 0), _keyed("k", 3, 0), _keyed(None, 4, 10))
    assert isinstance(first, Receipt)
    assert isinstance(again, Receipt)
    assert again.id == first.id
    assert _accepted([other, plain]) == ["Conflict", 4]


def test_a_receipt_that_was_read_before_the_server_went_away_is_not_handed_out(
    ingestion: Ingestion, database_url: str, tenant: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A crash takes away what the disk does not have yet: perhaps the very records of that receipt.
    (first,) = _send(ingestion, tenant, _keyed("k", 2, 0))
    replays = receipts.replays

    def and_the_server_goes_away(*given: Any) -> Any:
        found = replays(*given)
        _end_the_connection_that_appends(database_url)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(receipts, "replays", and_the_server_goes_away)
        assert _accepted(_send(ingestion, tenant, _keyed("k", 2, 0))) == ["DatabaseGone"]
    assert _send(ingestion, tenant, _keyed("k", 2, 0)) == [first]


def test_the_first_body_after_a_restart_of_the_server_is_taken(
    ingestion: Ingestion, database_url: str, tenant: uuid.UUID
) -> None:
    _send(ingestion, tenant, _keyed(None, 2, 0))
    _end_the_connection_that_appends(database_url)
    assert _accepted(_send(ingestion, tenant, _keyed(None, 3, 10))) == [3]


def test_a_key_that_another_process_is_using_refuses_only_its_own_body(
    ingestion: Ingestion, database_url: str, tenant: uuid.UUID
) -> None:
    _send(ingestion, tenant, _keyed("seen", 1, 0))
    with connect(database_url) as owner:
        # Another process has taken the key, and commits between our look and our write.
        owner.execute("begin")
        owner.execute("select set_config('finer.tenant', %s, true)", (str(tenant),))
        owner.execute("set local role finer_api")
        owner.execute(
            "insert into ingest_receipts (tenant_id, id, contract, source, stream, partition, received, logged, "
            "quarantined, unknown_fields, problems, received_at, idempotency_key, body_hash) "
            "select tenant_id, gen_random_uuid(), contract, source, stream, partition, 0, 0, 0, '{}', '[]', now(), "
            "'taken', body_hash from ingest_receipts where idempotency_key = 'seen'"
        )

        async def race() -> list[Receipt | BaseException]:
            bodies = [_keyed("mine", 2, 10), _keyed("taken", 2, 20), _keyed("too", 3, 30)]
            waiting = [asyncio.ensure_future(ingestion.submit(tenant, SYSTEM, "transaction", body)) for body in bodies]
            await asyncio.to_thread(_until_somebody_waits, database_url)
            await asyncio.to_thread(owner.execute, "commit")
            return await asyncio.gather(*waiting, return_exceptions=True)

        answers = asyncio.run(race())
    assert _accepted(answers) == [2, "Conflict", 3]


def test_nobody_waits_for_a_body_of_refusals(ingestion: Ingestion, database_url: str, tenant: uuid.UUID) -> None:
    async def both() -> tuple[Receipt, Receipt]:
        refused = asyncio.ensure_future(ingestion.submit(tenant, SYSTEM, "transaction", _refusals(2_000, 3)))
        good = asyncio.ensure_future(ingestion.submit(tenant, SYSTEM, "transaction", Body(data=lines(4, start=10))))
        done, _ = await asyncio.wait([refused, good], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert done == {good}
        await asyncio.to_thread(owner.execute, "commit")
        return await refused, await good

    with connect(database_url) as owner:
        owner.execute("begin")
        owner.execute("lock table ingest_quarantined_records in exclusive mode")  # no refusal is kept until it ends
        refused, good = asyncio.run(both())
    assert (good.received, good.accepted, good.quarantined) == (4, 4, 0)
    assert (refused.received, refused.accepted, refused.quarantined) == (2_003, 3, 2_000)


def test_a_body_of_refusals_is_accounted_for_as_any_other(
    ingestion: Ingestion, database: Database, tenant: uuid.UUID
) -> None:
    body = msgspec.structs.replace(_refusals(1_500, 20), idempotency_key="k")
    first, neighbour = _send(ingestion, tenant, body, Body(data=lines(2, start=50) + b"{}\n"))
    again, other = _send(ingestion, tenant, body, msgspec.structs.replace(_refusals(1_501, 20), idempotency_key="k"))
    assert isinstance(first, Receipt)
    assert isinstance(neighbour, Receipt)
    assert isinstance(again, Receipt)
    assert (first.received, first.accepted, first.quarantined) == (1_520, 20, 1_500)
    assert (neighbour.received, neighbour.accepted, neighbour.quarantined) == (3, 2, 1)
    assert again.id == first.id
    assert _accepted([other]) == ["Conflict"]
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        kept = quarantine.list_quarantined(tx, Selection(receipt=first.id), limit=5_000).items
    assert sorted(one.line for one in kept) == list(range(1, 1_501))


def test_a_laborious_body_that_is_repeated_is_answered_when_the_disk_has_its_records(
    ingestion: Ingestion, database_url: str, tenant: uuid.UUID
) -> None:
    body = msgspec.structs.replace(_refusals(1_001, 0), idempotency_key="k")
    first = _send(ingestion, tenant, body)
    with connect(database_url) as owner:
        behind = owner.execute("select pg_current_wal_insert_lsn()").fetchone()
        # The server of the tests waits for no disk, unless it is asked to.
        database = Database(f"{database_url}&options=-c%20synchronous_commit%3Don", API)
        again = Ingestion(database, Settings(), Registry(database))
        again.start()
        try:
            assert _send(again, tenant, body) == first
            assert owner.execute("select pg_current_wal_flush_lsn() >= %s", behind).fetchone() == (True,)
        finally:
            again.close()
            database.close()


def test_more_laborious_bodies_than_may_wait_are_to_be_sent_again(
    ingestion: Ingestion, database_url: str, tenant: uuid.UUID
) -> None:
    async def many() -> list[Receipt | BaseException]:
        waiting = [
            asyncio.ensure_future(ingestion.submit(tenant, SYSTEM, "transaction", _refusals(1_001, 0)))
            for _ in range(36)
        ]
        await asyncio.wait(waiting, timeout=60, return_when=asyncio.FIRST_EXCEPTION)
        await asyncio.to_thread(owner.execute, "commit")
        return await asyncio.gather(*waiting, return_exceptions=True)

    with connect(database_url) as owner:
        owner.execute("begin")
        owner.execute("lock table ingest_quarantined_records in exclusive mode")
        answers = asyncio.run(many())
    told = [one for one in answers if isinstance(one, TooManyRequests)]
    assert 3 <= len(told) <= 4  # 32 wait, and one may be under way
    assert [one.quarantined for one in answers if isinstance(one, Receipt)] == [1_001] * (36 - len(told))


def _refusals(refused: int, accepted: int) -> Body:
    """That many records without anything, and good ones behind them."""
    return Body(data=b"{}\n" * refused + lines(accepted, start=100))


def _until_somebody_waits(database_url: str) -> None:
    with connect(database_url) as watcher:
        for _ in range(20_000):
            row = watcher.execute(
                "select count(*) from pg_stat_activity where application_name = 'finer-ingestion' "
                "and wait_event_type = 'Lock'"
            ).fetchone()
            if row is not None and row[0]:
                return
        raise AssertionError("nobody waits for the key")


def _end_the_connection_that_appends(database_url: str) -> None:
    with connect(database_url) as owner:
        owner.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'finer-ingestion'"
        )
