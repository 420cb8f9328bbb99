"""`finer sql` and `finer export`: what a role sees here is what it sees on the page SQL, and mistakes are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from finer.app.cli import main
from finer.identity.types.access import Role
from tests.workspace.conftest import Desk

_PEOPLE = "select customer_id, full_name, email from customer_profiles order by event_id"
_PAYMENTS = "select account_id, amount_minor, merchant_name from transactions order by event_id"


@pytest.fixture
def asked(desk: Desk, database_url: str, data_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("FINER_DATABASE_URL", database_url)
    monkeypatch.setenv("FINER_KEY_FILE", str(data_path / "master.key"))
    return desk


def _sql(desk: Desk, statement: str, *options: str) -> Result:
    given = ["sql", statement, "--tenant", desk.firm.tenant.slug, "--data-dir", desk.settings.data_dir, *options]
    return CliRunner().invoke(main, given)


@pytest.mark.parametrize("statement", [_PEOPLE, _PAYMENTS])
@pytest.mark.parametrize("role", [Role.DATA_ENGINEER, Role.RISK_ANALYST, Role.MARKETING_MANAGER, Role.CREDIT_OFFICER])
def test_b03_a_role_sees_what_it_sees_in_its_workspace(asked: Desk, role: Role, statement: str) -> None:
    found = _sql(asked, statement, "--role", role.value, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.output)["rows"] == asked.rows(statement, role)


def test_b03_the_operator_sees_what_engineers_do_not(asked: Desk) -> None:
    clear = json.loads(_sql(asked, _PEOPLE, "--json").output)["rows"]
    assert clear[0] == ["CUST-0011223344", "Maria Clara Santos", "maria@example.com"]
    masked = _sql(asked, _PEOPLE, "--role", "data_engineer").output
    assert "Maria" not in masked
    assert "CUST-0011223344" not in masked


def test_what_cannot_be_asked_is_told(asked: Desk) -> None:
    refused = _sql(asked, "copy customer_profiles to 'out.csv'", "--role", "data_engineer")
    assert refused.exit_code == 1
    assert "SELECT" in refused.output
    assert _sql(asked, _PEOPLE, "--role", "king").exit_code == 2
    broken = _sql(asked, "select '\udcff'")
    assert (broken.exit_code, "not valid UTF-8" in broken.output) == (1, True)
    assert "infinity" in _sql(asked, "select date 'infinity' as a").output


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(asked: Desk, tmp_path: Path) -> None:
    def export(out: Path) -> Result:
        given = ["--tenant", asked.firm.tenant.slug, "--data-dir", asked.settings.data_dir]
        return CliRunner().invoke(main, ["export", "transactions", "--out", str(out), *given])

    os.mkfifo(tmp_path / "pipe")
    kept = export(tmp_path / "pipe")
    assert (kept.exit_code, "is a pipe" in kept.output) == (1, True)
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "pipe").unlink()
    gone = export(tmp_path / "gone" / "march.parquet")
    assert (gone.exit_code, gone.exception.__class__) == (1, SystemExit), gone.output
    assert f"{tmp_path}/gone/march.parquet cannot be written: No such file or directory." in gone.stderr
    assert export(tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_not_there_is_told_by_the_name_that_was_asked_for(asked: Desk) -> None:
    given = ["source", "pause", "Card topic", "--tenant", asked.firm.tenant.slug]
    found = CliRunner().invoke(main, [*given, "--data-dir", asked.settings.data_dir])
    assert found.exit_code == 1
    assert "There is no source with the name or id 'Card topic'. `finer source list` shows them." in found.stderr


def test_a_program_that_reads_the_lake_is_told_how_it_reaches_the_database(asked: Desk) -> None:
    given = ["--tenant", asked.firm.tenant.slug, "--data-dir", asked.settings.data_dir]
    made = json.loads(CliRunner().invoke(main, ["lake", "reader", "create", "told", "--json", *given]).stdout)
    try:
        address = f"{made['database']} user={made['role']} password={made['password']}"
        with psycopg.connect(address) as connection:
            found = connection.execute(f"select count(*) from {made['schema']}.ducklake_snapshot").fetchone()
            assert found is not None
            assert found[0] > 0
    finally:
        assert CliRunner().invoke(main, ["lake", "reader", "drop", "told", *given]).exit_code == 0
