"""The worker hears of labels and rules beside the log, and no notification is in the way of its end."""

from __future__ import annotations

import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from finer.app.worker import Worker
from finer.fraud.service import forgotten, label_rows, rule_sets
from finer.kit.db import WORKER, connect
from finer.kit.live import receive
from finer.kit.lock_keys import LockKey
from finer.kit.settings import Settings
from tests.fraud.desk import Desk
from tests.identity.conftest import clock, clocked, firm, other_firm, settings

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
_PATIENCE_S = 20.0


@pytest.fixture
def worker(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Worker]:
    """A worker that listens, with the state of the desk."""
    found = Worker(database_url, Settings(data_dir=str(tmp_path)))
    found.pipeline = desk.pipeline
    found._listen()
    found._beside.start()
    yield found
    found.close()


def _told(desk: Desk) -> None:
    """Something becomes known that stands before the next payment, and the worker is notified."""
    with desk.database.transaction(desk.firm.tenant.id, desk.writer) as tx:
        forgotten.add(tx, {forgotten.PARTED[0]: [["somebody"] * len(forgotten.PARTED[0])]})


def _finds(desk: Desk) -> bool:
    """Whether the next payment would be told, within some time."""
    deadline = time.monotonic() + _PATIENCE_S
    while not desk.pipeline.window_rows.waiting(desk.firm.tenant.id):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_comes_with_the_answer_to_a_statement_is_heard(worker: Worker, desk: Desk) -> None:
    assert desk.pipeline.window_rows.waiting(desk.firm.tenant.id) == []
    _told(desk)
    assert select.select([worker._reader.fileno()], [], [], _PATIENCE_S)[0]
    worker._failures.recall()  # as where a row is set aside
    assert _finds(desk)


def test_a_notification_that_nobody_understands_holds_up_no_other(worker: Worker, desk: Desk) -> None:
    assert desk.pipeline.window_rows.waiting(desk.firm.tenant.id) == []
    worker._pass_on([(label_rows.CHANNEL, "no firm")])
    _told(desk)
    worker._pass_on(receive(worker._reader, _PATIENCE_S))
    assert _finds(desk)


def test_the_end_does_not_wait_for_a_handler_that_does_not_return(worker: Worker) -> None:
    begun, answered = threading.Event(), threading.Event()

    def ask(_payload: str) -> None:
        begun.set()
        answered.wait()

    worker._handlers[rule_sets.CHANNEL] = ask
    worker._pass_on([(rule_sets.CHANNEL, "")])
    assert begun.wait(_PATIENCE_S)
    closing = threading.Thread(target=worker.close)
    closing.start()
    try:
        closing.join(_PATIENCE_S)
        assert not closing.is_alive()
    finally:
        answered.set()
        closing.join()


@pytest.mark.usefixtures("desk")
def test_a_worker_that_waited_for_another_ends_without_a_trace(database_url: str, tmp_path: Path) -> None:
    """It holds no state that the next worker should begin from."""
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    waiting = Worker(database_url, Settings(data_dir=str(tmp_path)))
    number = waiting._reader.info.backend_pid
    with connect(database_url, WORKER) as other:
        other.execute("select pg_advisory_lock(%s)", (LockKey.WORKER.value,))

        def stop() -> None:
            with psycopg.connect(database_url, autocommit=True) as owner:
                asked = "select from pg_stat_activity where pid = %s and query like '%%advisory_lock%%'"
                while owner.execute(asked, (number,)).fetchone() is None:
                    time.sleep(0.01)
            waiting._stop.set()

        stopping = threading.Thread(target=stop)
        stopping.start()
        try:
            waiting.run()
        finally:
            for name, handler in before:
                signal.signal(name, handler)
        stopping.join()
    assert list(tmp_path.rglob("windows")) == []
