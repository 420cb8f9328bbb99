"""`finer doctor` finds what would keep Finer from working, and says what to do."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from finer.app.cli import main
from finer.app.doctor import Finding, examine
from finer.app.keys import prove_keys
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import Database
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import Settings
from tests.support.object_storage import ACCESS_KEY, REGION, SECRET_KEY, object_storage
from tests.support.transit import TOKEN, transit


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(settings)}


@pytest.fixture
def listening() -> Iterator[int]:
    """A port on which somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port on which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_everything_is_looked_at_and_told_in_a_sentence(tmp_path: Path, free: int) -> None:
    found = _found(Settings(data_dir=str(tmp_path / "not" / "made" / "yet"), port=free))
    assert list(found) == ["Python", "memory", "disk", "port", "web app", "TLS", "database", "keys", "lake"]
    assert all(finding.says.endswith(".") for finding in found.values())
    assert found["Python"].good
    assert str(tmp_path) in found["disk"].says
    assert "not" not in found["disk"].says.split(str(tmp_path))[1]


def test_a_free_port_is_good_and_a_taken_one_is_not(tmp_path: Path, free: int, listening: int) -> None:
    assert _found(Settings(data_dir=str(tmp_path), port=free))["port"].good
    taken = _found(Settings(data_dir=str(tmp_path), port=listening))["port"]
    assert not taken.good
    assert "is taken by process" in taken.says
    assert "--port" in taken.says


@pytest.mark.parametrize("host", ["no.such.host.example", "192.0.2.1"])
def test_an_address_that_finer_up_refuses_is_not_good(host: str, tmp_path: Path, free: int) -> None:
    found = _found(Settings(data_dir=str(tmp_path), host=host, port=free))["port"]
    assert not found.good
    assert f"Nobody can listen at {host}:{free}: " in found.says


def test_a_database_that_answers_is_told_with_its_version(tmp_path: Path, free: int, database_url: str) -> None:
    found = _found(Settings(data_dir=str(tmp_path), port=free, database_url=database_url))["database"]
    assert found.good
    assert found.says.startswith("PostgreSQL 18")


def test_an_embedded_database_is_told_with_the_folders_that_a_backup_needs(
    free: int, data_path: Path, postgres: EmbeddedPostgres
) -> None:
    found = _found(Settings(data_dir=str(data_path), port=free))["database"]
    assert found.good
    assert f"Its files are in {postgres.cluster}, its socket is in {postgres.socket}." in found.says


def test_a_database_that_does_not_answer_is_told_with_the_setting(tmp_path: Path, free: int) -> None:
    url = f"postgresql://finer@127.0.0.1:{free}/finer"
    found = _found(Settings(data_dir=str(tmp_path), port=free, database_url=url))["database"]
    assert not found.good
    assert "FINER_DATABASE_URL" in found.says


def test_an_embedded_database_that_does_not_run_yet_is_no_fault(tmp_path: Path, free: int) -> None:
    found = _found(Settings(data_dir=str(tmp_path), port=free))["database"]
    assert found.good
    assert "finer up" in found.says


def test_keys_are_tried_and_none_are_made(tmp_path: Path, free: int) -> None:
    settings = Settings(data_dir=str(tmp_path), port=free)
    first = _found(settings)["keys"]
    assert first.good
    assert "finer up makes it" in first.says
    assert not settings.key_path.exists()
    KeyFile(settings.key_path).prepare()
    assert _found(settings)["keys"].good
    settings.key_path.chmod(0o644)
    readable = _found(settings)["keys"]
    assert not readable.good
    assert "has mode 0644" in readable.says


def test_a_key_service_that_finer_may_not_use_is_told_with_the_setting(tmp_path: Path, free: int) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o400)
    with transit() as engine:
        engine.rotate()
        settings = Settings(
            data_dir=str(tmp_path), port=free, kms_url=engine.url, kms_token_file=str(token),
            outbound_hosts=engine.host,
        )  # fmt: skip
        assert _found(settings)["keys"] == Finding("keys", True, f"the master key of {engine.url} wraps and opens.")
        engine.mode = "revoked"
        refused = _found(settings)["keys"]
        assert not refused.good
        assert "FINER_KMS_TOKEN_FILE" in refused.says
        elsewhere = _found(msgspec.structs.replace(settings, outbound_hosts=""))["keys"]
        assert not elsewhere.good
        assert "FINER_OUTBOUND_HOSTS" in elsewhere.says


def test_keys_that_do_not_open_what_the_database_holds_are_not_good(
    tmp_path: Path, free: int, database: Database
) -> None:
    prove_keys(database)
    settings = Settings(data_dir=str(tmp_path), port=free, database_url=database.url)
    KeyFile(settings.key_path).prepare()
    found = _found(settings)["keys"]
    assert not found.good
    assert "does not hold the master key" in found.says


def test_a_lake_that_nothing_can_be_written_to_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert _found(Settings(data_dir=str(tmp_path)))["lake"].good
    found = _found(Settings(data_dir=str(tmp_path), lake=str(file)))["lake"]
    assert (found.good, str(file) in found.says) == (False, True)
    # Permissions let root write here, and the system lets nobody: only trying tells.
    found = _found(Settings(data_dir=str(tmp_path), lake="/proc/lake"))["lake"]
    assert (found.good, "Nothing can be written to /proc: " in found.says) == (False, True)
    found = _found(Settings(data_dir="/proc/finer"))["disk"]
    assert (found.good, "Nothing can be written to /proc: " in found.says) == (False, True)
    # The system does not even say whether this is there, as of a folder in one that is closed to the user.
    found = _found(Settings(data_dir=str(tmp_path), lake=str(tmp_path / ("x" * 300))))["lake"]
    assert (found.good, "File name too long" in found.says) == (False, True)


def test_a_lake_in_object_storage_is_good_when_files_can_be_written_and_deleted(tmp_path: Path) -> None:
    with object_storage("lakes") as address:
        settings = Settings(
            data_dir=str(tmp_path), lake="s3://lakes/prefix", lake_endpoint=address, lake_region=REGION,
            lake_access_key=ACCESS_KEY, lake_secret_key=SECRET_KEY,
        )  # fmt: skip
        found = _found(settings)["lake"]
        assert found == Finding("lake", True, "files can be written to s3://lakes/prefix.")
        lacking = _found(msgspec.structs.replace(settings, lake="s3://lakse/prefix"))["lake"]
    assert not lacking.good
    assert "s3://lakse/prefix" in lacking.says
    assert "The bucket must exist" in lacking.says


def test_what_does_not_answer_is_told_and_keeps_nobody_from_the_rest(tmp_path: Path, free: int, listening: int) -> None:
    silent = Settings(
        data_dir=str(tmp_path), port=free, lake="s3://lakes/prefix", lake_endpoint=f"http://127.0.0.1:{listening}",
        lake_access_key=ACCESS_KEY, lake_secret_key=SECRET_KEY,
        database_url=f"postgresql://finer@127.0.0.1:{listening}/finer",
    )  # fmt: skip
    found = {finding.what: finding for finding in examine(silent, patience_s=1)}
    for what, setting in (("database", "FINER_DATABASE_URL"), ("lake", "FINER_LAKE_ENDPOINT")):
        assert not found[what].good
        assert found[what].says.startswith("nothing was heard within 1 s. ")
        assert setting in found[what].says
    assert found["Python"].good


def test_the_command_fails_when_something_is_bad(
    tmp_path: Path, listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINER_PORT", str(listening))
    arguments = ["doctor", "--data-dir", str(tmp_path)]
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 1
    assert [one["good"] for one in json.loads(done.stdout) if one["what"] == "port"] == [False]
    assert f"BAD  port: 127.0.0.1:{listening}" in CliRunner().invoke(main, arguments).stdout
