"""Replacing the keys of many sealed rows while people are served: the second half of T4."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator

import httpx

from bench.support.report import percentile
from finer.app.keys import keyring
from finer.identity.store.sealed import person_subject, sealed_person
from finer.identity.tables.core import users
from finer.kit.actors import SYSTEM
from finer.kit.crypto import fields as crypto
from finer.kit.db import API, Database
from finer.kit.ids import new_id
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from tests.support.server import Server, serving

_CHUNK = 2_000


def _people(server: Server, firm: uuid.UUID, rows: int) -> None:
    """That many people, sealed as the product seals them, written in bulk."""
    settings = Settings(data_dir=str(server.folder))
    database = Database(EmbeddedPostgres(server.folder).url, API, connections=2, keys=keyring(settings))
    for start in range(0, rows, _CHUNK):
        with database.transaction(firm, SYSTEM) as tx:
            people = {new_id(): number for number in range(start, min(start + _CHUNK, rows))}
            keys = crypto.keyring(tx)
            keys.add_versions(tx, [(keys.subject_of(tx, person_subject(person)), 1) for person in people])
            tx.connection.execute(users.insert(), [_row(tx, person, number) for person, number in people.items()])
    database.close()


def _row(tx: Tx, person: uuid.UUID, number: int) -> dict[str, object]:
    sealed = sealed_person(tx, person, f"person.{number}@acme.example", f"Person {number}")
    return {"tenant_id": tx.tenant, "id": person, "role": "customer", "created_at": tx.now(), **sealed}


def rotation(rows: int, callers: int = 4) -> dict[str, float]:
    """Rotate the keys of `rows` people while callers sign in, read their session and sign out."""
    with serving() as server:
        client = server.sign_in("risk_analyst")
        with server.database() as connection:
            found = connection.execute("select id from identity_tenants where slug = 'acme'").fetchone()
        assert found is not None
        _people(server, found[0], rows)
        stop = threading.Event()
        outcomes: list[tuple[float, bool]] = []
        load = [threading.Thread(target=_use, args=(server, client, stop, outcomes)) for _ in range(callers)]
        for thread in load:
            thread.start()
        time.sleep(3)
        calm, began = len(outcomes), time.perf_counter()
        command = [sys.executable, "-m", "finer.app.cli", "keys", "rotate", "--tenant", "acme", "--json"]
        done = subprocess.run([*command, "--data-dir", str(server.folder)], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        stop.set()
        for thread in load:
            thread.join()
        if done.returncode:
            raise RuntimeError(done.stderr)
        during = outcomes[calm:]
        with server.database() as connection:
            stale = connection.execute(
                "select count(*) from identity_users u join kit_keys k on k.tenant_id = u.tenant_id "
                "and k.id = encode(substring(u.name_sealed from 3 for 16), 'hex')::uuid "
                "where k.superseded_at is not null"
            ).fetchone()
    return {
        "rotation_failed": sum(not good for _, good in during),
        "rotation_requests": len(during),
        "rotation_rows": rows,
        "rotation_rows_left": float(stale[0]) if stale is not None else -1.0,
        "rotation_rows_per_s": rows / seconds,
        "rotation_p99_ms": percentile([took * 1000 for took, _ in during], 0.99),
        "calm_p99_ms": percentile([took * 1000 for took, _ in outcomes[:calm]], 0.99),
    }


def _use(server: Server, client: httpx.Client, stop: threading.Event, outcomes: list[tuple[float, bool]]) -> None:
    cookies = dict(client.cookies)
    with httpx.Client(base_url=server.url, cookies=cookies, timeout=10) as mine:
        for path in _paths():
            if stop.is_set():
                return
            began = time.perf_counter()
            try:
                good = mine.get(path).status_code == 200
            except httpx.TransportError:
                good = False
            outcomes.append((time.perf_counter() - began, good))


def _paths() -> Iterator[str]:
    while True:
        yield from ("/api/v1/me", "/api/v1/sessions", "/api/v1/alerts")
