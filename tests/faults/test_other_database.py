"""A data folder whose database was exchanged: the worker's state of the one before is not taken for that of the new."""

from __future__ import annotations

import shutil
import subprocess

import httpx

from tests.support.server import Server, serving


def test_a_worker_leaves_no_record_out_when_its_folder_holds_the_state_of_another_database() -> None:
    with serving() as server:
        empty = server.folder.with_name(f"{server.folder.name}-empty")
        server.stop()
        try:
            # The whole folder, so that cluster, firm and key are those of the beginning.
            subprocess.run(["cp", "--archive", str(server.folder), str(empty)], check=True)
            server.start()
            _send(server, 30)
            server.wait_in_lake("transactions", 30)
            server.stop()
            newest = max(one.name for one in (server.folder / "snapshots").iterdir())
            for part in ("postgres", "lake"):
                shutil.rmtree(server.folder / part, ignore_errors=True)
                if (empty / part).exists():
                    subprocess.run(["cp", "--archive", str(empty / part), str(server.folder / part)], check=True)
            # As when the whole folder was restored from a copy: the same snapshot was put aside before.
            (server.folder / "snapshots" / f"of-another-database-{newest}" / "windows").mkdir(parents=True)
            server.start()
            _send(server, 5)
            server.wait_in_lake("transactions", 5)
            assert server.rows_in_lake("transactions") == 5
            assert any((server.folder / "snapshots" / f"of-another-database-{newest}" / "windows").iterdir())
        finally:
            shutil.rmtree(empty, ignore_errors=True)


def _send(server: Server, count: int) -> None:
    records = "\n".join(
        f'{{"event_id":"e{n}","customer_id":"c1","amount":5,"occurred_at":"2026-01-01T00:00:00Z"}}'
        for n in range(count)
    )
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=records, headers=headers, timeout=30)
    assert answer.json()["accepted"] == count
