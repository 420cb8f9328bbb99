"""The embedded PostgreSQL never begins anew beside a database that it cannot reach."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from finer.kit import postgres
from finer.kit.errors import Unavailable
from finer.kit.postgres import EmbeddedPostgres


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_a_restored_database_in_a_closed_folder_is_told_and_not_replaced_by_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_MACHINE_FOLDER", tmp_path / "machine")
    closed = tmp_path / "restored"
    (closed / "postgres").mkdir(parents=True)
    (closed / "postgres" / "PG_VERSION").write_text("18\n")
    closed.chmod(0o700)
    server = EmbeddedPostgres(closed)
    with pytest.raises(Unavailable, match=r"chmod o\+x"):
        server.start()
    assert not server.made()
    # Nor is the one that was used before it was restored, on the same machine.
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("18\n")
    with pytest.raises(Unavailable, match=f"remove it, to go on with the database in {server.cluster}"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_a_database_outside_of_its_data_folder_is_found_again_and_not_given_to_a_new_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    first = EmbeddedPostgres(data)
    home = first.cluster.parent
    try:
        first.start()
        first.stop()
        assert (data / "postgres.folder").read_text() == f"{first.cluster}\n"
        for folder in (data, *data.parents[:3]):  # those that pytest made
            folder.chmod(folder.stat().st_mode | 0o001)
        assert EmbeddedPostgres(data).cluster == first.cluster  # not an empty one in the folder that was opened
        shutil.rmtree(data)
        data.mkdir()
        (data / "logs").mkdir()
        with pytest.raises(Unavailable, match=f"remove {home}"):
            EmbeddedPostgres(data).start()
    finally:
        first.stop()
        shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_who_first_copies_the_binaries_out_of_a_closed_folder_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_MACHINE_FOLDER", tmp_path / "machine")
    monkeypatch.setattr(postgres, "_reachable", lambda _: False)
    with ThreadPoolExecutor(3) as pool:
        for one in [pool.submit(EmbeddedPostgres, tmp_path / f"data-{i}") for i in range(3)]:
            one.result()
    (copy,) = (tmp_path / "machine").iterdir()
    assert list(copy.rglob("bin/postgres"))
