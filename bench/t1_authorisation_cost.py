"""T1: what authorisation, row-level security and audit cost a read and a write, against the same routes without them.

Both apps run in this process on one PostgreSQL and are asked by turns. The bare one knows its caller without a look-up
and has no guard, no masking and no notes of access; it is signed in to the database as an owner whom no policy limits,
and writes no audit line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.testing import TestClient

from bench.support.report import median, report
from finer.decisions.service import alerts as decisions
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM, Actor
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import API, NO_TENANT, WORKER, Database
from finer.kit.ids import show_id
from finer.kit.migration import migrate
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import load_settings
from finer.kit.tx import Tx
from tests.support.alerts import alert_routes, raise_alerts
from tests.support.identity import Firm, client_of, sign_in, small_app

_ALERTS = 200


class Known:
    """The caller of the bare app: whom nobody had to look up."""

    def __init__(self, tenant: uuid.UUID, actor: Actor) -> None:
        self.tenant_id, self._actor = tenant, actor

    def actor(self) -> Actor:
        """As transactions know them."""
        return self._actor


def bare_app(database: Database, caller: Known) -> Litestar:
    """The same routes with nothing in front of them."""

    def tx() -> Iterator[Tx]:
        with database.transaction(caller.tenant_id, caller.actor()) as found:
            yield found

    def know(request: Request[Any, Any, Any]) -> None:
        request.scope["user"] = caller

    return Litestar(
        route_handlers=[alert_routes()],
        dependencies={"tx": Provide(tx)},
        before_request=know,
        openapi_config=None,
        logging_config=None,
    )


class Side:
    """One of the two apps, and the alert that is given to and fro on it."""

    def __init__(self, client: TestClient[Litestar], alert: uuid.UUID, assignee: uuid.UUID) -> None:
        self._client, self._assignee = client, assignee
        self._path = f"/api/v1/alerts/{show_id('alr', alert)}/assignment"
        self._version = 1
        self.reads: list[float] = []
        self.writes: list[float] = []

    def turn(self, *, counts: bool) -> None:
        """Ask once for a page of alerts, and change one."""
        started = time.perf_counter()
        answer = self._client.get("/api/v1/alerts", params={"limit": 50})
        between = time.perf_counter()
        body = {"version": self._version, "assignee_id": show_id("usr", self._assignee)}
        changed = self._client.post(self._path, json=body)
        ended = time.perf_counter()
        if answer.status_code != 200 or changed.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}; {changed.status_code} {changed.text[:200]}")
        self._version = changed.json()["version"]
        if counts:
            self.reads.append(between - started)
            self.writes.append(ended - between)


def compare(folder: Path, turns: int) -> tuple[Side, Side]:
    """Both sides, measured by turns: with everything, and bare."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        migrate(server.url)
        keys = Keyring(KeyFile(folder / "master.key"))
        guarded, worker, owner = (
            Database(server.url, role, connections=4, keys=keys) for role in (API, WORKER, "postgres")
        )
        with guarded.transaction(NO_TENANT, SYSTEM) as tx:
            keys.establish(tx)
        settings = load_settings({}, argon2_memory_kib=8, argon2_iterations=1)
        firm = Firm.made(guarded, settings, "bench")
        analyst = firm.user(Role.RISK_ANALYST)
        first, second, *_ = raise_alerts(worker, firm, _ALERTS)
        actor = Actor(kind="user", id=str(analyst.id), name=analyst.name, role=analyst.role.value)
        app, _ = small_app(guarded, settings, alert_routes())
        with client_of(app) as full, TestClient(bare_app(owner, Known(firm.tenant.id, actor))) as bare:
            sign_in(full, analyst)
            one, other = Side(full, first.id, analyst.id), Side(bare, second.id, analyst.id)
            for place in range(turns + turns // 5):
                one.turn(counts=place >= turns // 5)
                with patch.object(decisions, "record_audit", lambda *_, **__: None):
                    other.turn(counts=place >= turns // 5)
        for database in (guarded, worker, owner):
            database.close()
        return one, other
    finally:
        server.stop()


def main() -> None:
    """Measure both sides by turns and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=500)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory(prefix="finer-t1-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        full, bare = compare(folder, turns)
    read = (median(full.reads) / median(bare.reads) - 1) * 100
    write = (median(full.writes) / median(bare.writes) - 1) * 100
    figures = {
        "read_overhead_pct": read,
        "write_overhead_pct": write,
        "read_ms": median(full.reads) * 1000,
        "write_ms": median(full.writes) * 1000,
    }
    goal = "<= 15 % of the median of reads and writes"
    report("T1", figures, goal, read <= 15 and write <= 15, settings={"turns": turns})


if __name__ == "__main__":
    main()
