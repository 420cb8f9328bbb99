"""A data folder whose database was exchanged: the worker's state of the one before is not taken for that of the new."""

from __future__ import annotations

import shutil

import httpx

from tests.support.server import Server


def test_a_worker_leaves_no_record_out_when_its_folder_holds_the_state_of_another_database(server: Server) -> None:
    snapshots = server.folder / "snapshots"
    held = server.rows_in_lake("transactions")
    _send(server, "of the first", 30)
    server.wait_in_lake("transactions", held + 30)
    with server.database() as database:
        [(stream, count)] = database.execute("select stream, next_offset from kit_log_heads").fetchall()
    assert stream == "transaction"
    server.stop()
    assert server.process.returncode == 0
    newest = max(one.name for one in snapshots.iterdir())
    aside = snapshots / f"of-another-database-{newest}"
    for part in ("postgres", "lake"):
        shutil.rmtree(server.folder / part)
    # As when the whole folder was restored from a copy: the same snapshot was put aside before.
    (aside / "windows").mkdir(parents=True)
    server.start()
    other = server.for_firm(server.tenant)
    _send(other, "of the second", count + 5)
    other.wait_in_lake("transactions", count + 5)
    assert any((aside / "windows").iterdir())
    server.stop()
    # Now the new database has come farther than the state of the one before.
    for own in snapshots.glob("[0-9]*"):
        shutil.rmtree(own)
    aside.rename(snapshots / newest)
    server.start()
    _send(other, "later of the second", 5)
    other.wait_in_lake("transactions", count + 10)
    server.finer_here("verify")  # Windows are of all records of this database, and of no other.
    server.api_key = other.api_key  # Whoever uses this Finer next finds the firm that is in it now.


def _send(server: Server, name: str, count: int) -> None:
    records = "\n".join(
        f'{{"event_id":"{n} {name}","customer_id":"c1","amount":5,"occurred_at":"2026-01-01T00:00:00Z"}}'
        for n in range(count)
    )
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=records, headers=headers, timeout=30)
    assert answer.json()["accepted"] == count
