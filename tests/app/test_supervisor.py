"""The supervisor: one for each data folder, ended by a signal, and no trace of it afterwards."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from finer.app import process
from finer.app.commands import up
from finer.app.supervisor import Supervisor, lock_data_folder
from finer.kit.errors import Conflict
from finer.kit.settings import Settings
from tests.support.receivers import Handler, serving


def test_only_one_supervisor_holds_a_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))
    with lock_data_folder(settings):
        with pytest.raises(Conflict, match="already runs") as refused:
            lock_data_folder(settings)
        assert str(tmp_path / "data") in refused.value.detail
        assert "--data-dir" in refused.value.detail


def test_the_data_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    lock_data_folder(settings).close()
    lock_data_folder(settings).close()


def test_two_data_folders_are_held_side_by_side(tmp_path: Path) -> None:
    first, second = Settings(data_dir=str(tmp_path / "a")), Settings(data_dir=str(tmp_path / "b"))
    with lock_data_folder(first), lock_data_folder(second) as held:
        assert not held.closed


def test_the_lock_does_not_outlive_its_process(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    child = os.fork()
    if child == 0:
        lock_data_folder(settings)
        os._exit(0)
    os.waitpid(child, 0)
    lock_data_folder(settings).close()


def test_a_signal_ends_it_and_the_handlers_are_as_before(tmp_path: Path, database_url: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    supervisor = Supervisor(Settings(data_dir=str(tmp_path), database_url=database_url), [])
    announced = []

    def ready() -> None:
        announced.append(supervisor.url)
        os.kill(os.getpid(), signal.SIGTERM)

    supervisor.run(ready)
    assert announced == [database_url]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_database_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    own = Settings(data_dir=str(tmp_path), database_url="postgresql://finer@db.example/finer?sslmode=verify-full")
    assert process.database_url(own) == ("postgresql://finer@db.example/finer?sslmode=verify-full", None)
    url, server = process.database_url(Settings(data_dir=str(tmp_path)))
    assert server is not None
    assert url == server.url


def test_who_waits_for_a_slow_start_is_told_once_and_still_gets_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(up, "_READY_S", 0.0)
    statuses = iter([503, 503, 200])

    def ready(handler: Handler) -> None:
        handler.say(next(statuses))

    with serving(**{"api/v1/health/ready": ready}) as (address, _):
        up._announce(Settings(data_dir=str(tmp_path), port=int(address.rpartition(":")[2])), "", demo=False)
    said = capsys.readouterr()
    assert said.err.count("does not answer") == 1
    assert f"Finer answers at http://{address}" in said.out
