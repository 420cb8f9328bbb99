"""D2: a million refused records: grouped by cause, changed by expression, and released the whole way to the log."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from bench.support.report import median, report
from finer.app.process import settle
from finer.ingest import invariants
from finer.ingest.service import acts, contracts, parsing, quarantine, receipts
from finer.ingest.types.quarantine import Act, Selection
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import API, NO_TENANT, Database
from finer.kit.ids import new_id
from finer.kit.migration import migrate
from finer.kit.postgres import EmbeddedPostgres

GOAL = "group <= 1 s; release >= 50,000 records/s"
_BODY = 20_000
_WAITING = Selection(contract="transaction")


def fill(database: Database, tenant: uuid.UUID, records: int) -> None:
    """Keep records of which each breaks one of two rules, in bodies of 20,000: one body, checked once, many times.

    To look at a million of them one by one takes minutes and is no part of the row.
    """
    contract, at = contracts.contract("transaction"), datetime.now(UTC)
    parsed = {
        count: parsing.parse_group(contract, [Body(data=b"\n".join(_line(i) for i in range(count)))], at)
        for count in {min(_BODY, records), records % _BODY or min(_BODY, records)}
    }
    for start in range(0, records, _BODY):
        with database.transaction(tenant, SYSTEM) as tx:
            receipts.append(tx, parsed[min(_BODY, records - start)], 1)


def _line(i: int) -> bytes:
    return (
        f'{{"event_id":"q{i}","type":"purchase","occurred_at":"2026-11-20T10:00:00Z",'
        f'"customer_id":"c{i % 5000}","account_id":"a{i % 7000}",'
        f'"card_last4":"1234","amount":{"-12.50" if i % 2 else "12.50"},'
        f'"currency":"{"USD" if i % 2 else "usd"}","merchant_name":"Corner Shop","merchant_city":"Manila",'
        '"merchant_country":"PH","mcc":"5411","channel":"pos"}'
    ).encode()


def carry_out(
    database: Database, tenant: uuid.UUID, kind: acts.Kind, assignments: list[tuple[str, str]]
) -> tuple[Act, float]:
    """An act on all waiting records as the job does it, and how long it took in seconds."""
    started = time.perf_counter()
    with database.transaction(tenant, SYSTEM) as tx:
        act = acts.start(tx, kind, _WAITING, assignments=assignments, partitions=1)
    while act.state == "running":
        with database.transaction(tenant, SYSTEM) as tx:
            act = acts.carry_on(tx, act.id, 1)
    return act, time.perf_counter() - started


def main() -> None:
    """Measure and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="finer-d2-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        migrate(server.url)
        keys = Keyring(KeyFile(folder / "master.key"))
        database = Database(server.url, API, connections=2, keys=keys)
        with database.transaction(NO_TENANT, SYSTEM) as tx:
            keys.establish(tx)
        tenant = new_id()
        fill(database, tenant, chosen.records)
        settle()  # as `finer jobs` does, whose work this is
        grouped = []
        for _ in range(5):
            started = time.perf_counter()
            with database.transaction(tenant, SYSTEM) as tx:
                causes = quarantine.quarantine_causes(tx)
            grouped.append(time.perf_counter() - started)
        edit, edit_s = carry_out(database, tenant, "edit", [("amount", "abs(amount)"), ("currency", "upper(currency)")])
        release, release_s = carry_out(database, tenant, "release", [])
        with database.transaction(tenant, SYSTEM) as tx:
            broken = invariants.every_refused_record_is_kept(tx)
        if broken or sum(one.records for one in causes) != chosen.records or release.changed != chosen.records:
            raise RuntimeError(f"Not all was released: {release.changed} of {chosen.records}. {broken[:3]}")
        database.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    figures = {
        "group_s": median(grouped),
        "release_per_s": release.changed / release_s,
        "edit_per_s": edit.changed / edit_s,
    }
    holds = figures["group_s"] <= 1 and figures["release_per_s"] >= 50_000
    report("D2", figures, GOAL, holds, settings={"records": chosen.records})


if __name__ == "__main__":
    main()
