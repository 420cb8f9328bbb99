"""The embedded PostgreSQL never begins anew beside a database that it cannot reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finer.kit.errors import Unavailable
from finer.kit.postgres import EmbeddedPostgres


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_a_restored_database_in_a_closed_folder_is_told_and_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    closed = tmp_path / "restored"
    (closed / "postgres").mkdir(parents=True)
    (closed / "postgres" / "PG_VERSION").write_text("18\n")
    closed.chmod(0o700)
    server = EmbeddedPostgres(closed)
    with pytest.raises(Unavailable, match=r"chmod o\+x"):
        server.start()
    assert not server.made()
