"""Bodies that arrive together share a commit, but not each other's mistakes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from finer.app.contracts import Registry
from finer.app.ingestion import Ingestion
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.db import Database, connect
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
