"""The command line: every command shows how it is used, starts quickly, and fails with a sentence."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import psycopg
import pytest
from click.testing import CliRunner

from finer.app.cli import COMMANDS, main
from finer.fraud.service import verdicts as fraud
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database, NotMade, connect
from tools.reference import commands_page


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


EVERY = dict(_commands(main))


def test_all_commands_are_here() -> None:
    assert {path[0] for path in EVERY} == set(COMMANDS) - {"demo", "template"}
    assert {("tenant", "create"), ("user", "link"), ("key", "revoke"), ("fx", "load")} <= set(EVERY)


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_shows_an_example_that_begins_with_the_command(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*path, "--help"])
    assert done.exit_code == 0
    example = re.search(r"Example:\s+(.*)", done.stdout)
    assert example is not None
    assert f"finer {' '.join(path)}" in example[1]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_options_say_what_they_are_for(path: tuple[str, ...]) -> None:
    options = [one for one in EVERY[path].params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


def test_every_command_that_does_something_stands_in_the_reference() -> None:
    headings = re.findall(r"^## finer (.*)$", commands_page(), re.MULTILINE)
    wanted = [" ".join(path) for path, command in EVERY.items() if not isinstance(command, click.Group)]
    assert len(headings) == len(wanted)
    assert all(any(heading.startswith(name) for heading in headings) for name in wanted)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model", "register", "gone.txt", "--tenant", "t", "--name", "n", "--threshold", "0.5"], "gone.txt"),
        (["bench", "Z9"], "There is no benchmark 'Z9'"),
        (["key", "create", "k", "--tenant", "t", "--scope", "everything"], "everything is no permission"),
        (["fx", "load", "gone.csv", "--tenant", "t"], "gone.csv"),
        (["job", "history", "retan"], "There is no job 'retan'"),
    ],
)
def test_an_expected_failure_is_a_sentence_and_exit_code_one(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("finer: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("end", "code", "said", "complained"),
    [
        ("sys.exit(3)", 3, "begun, done", ""),
        ("sys.exit()", 0, "begun, done", ""),
        ("sys.exit('finer: no')", 1, "begun, done", "finer: no\n"),
        ("1 / 0", 1, "begun, done", "ZeroDivisionError: division by zero\n"),
        ("(sys.stdout.close(), sys.exit(4))", 4, "begun", ""),
    ],
)
def test_a_process_ends_with_all_its_words_and_its_exit_code(end: str, code: int, said: str, complained: str) -> None:
    """What is written to a pipe waits in the process until there is enough of it, or until it ends."""
    program = (
        "import atexit, sys\n"
        "from finer.app import cli\n"
        "farewell = lambda: sys.stdout.closed or sys.stdout.write(', done')\n"
        f"cli.main = lambda: (atexit.register(farewell), sys.stdout.write('begun'), {end})\n"
        "cli.run()"
    )
    waits = os.environ | {"PYTHONUNBUFFERED": ""}
    done = subprocess.run([sys.executable, "-c", program], env=waits, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, said)
    assert done.stderr.endswith(complained) if complained else done.stderr == ""


def test_a_rate_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("currency,day,usd\nEUR,2026-11-01,1.1\nEUR,2026-13-01,1.1\n")
    done = CliRunner().invoke(main, ["fx", "load", str(rates), "--tenant", "t"])
    assert done.exit_code == 1
    assert f"{rates}, line 3 is no rate. The columns are currency, day" in done.stderr
    for broken, says in ((b"currency,day,usd\n\xff", "no CSV in UTF-8"), (b"", "holds no rates")):
        rates.write_bytes(broken)
        done = CliRunner().invoke(main, ["fx", "load", str(rates), "--tenant", "t"])
        assert (done.exit_code, says in done.stderr) == (1, True)


@pytest.mark.parametrize("text", ["[" * 100_000, "name: 9999-99-99", "a: &a [x]\nb: *a"])
def test_a_source_is_read_from_yaml_within_limits(text: str, tmp_path: Path) -> None:
    """libyaml ends the whole process at the first of these, so what it is given is bounded before."""
    (tmp_path / "source.yaml").write_text(text)
    done = CliRunner().invoke(main, ["source", "add", str(tmp_path / "source.yaml"), "--tenant", "t"])
    assert done.exit_code == 1
    assert "describes no source: source.yaml: " in done.stderr


@pytest.mark.parametrize("command", [["migrate"], ["fx", "load", "{rates}", "--tenant", "t"]])
def test_a_database_that_does_not_answer_is_told_in_a_sentence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("currency,day,usd\nEUR,2026-11-01,1.1\n")
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"postgresql://nobody@127.0.0.1:{unheard.getsockname()[1]}/finer"
        monkeypatch.setenv("FINER_DATABASE_URL", address)
        monkeypatch.setenv("FINER_DATA_DIR", str(tmp_path))
        done = CliRunner().invoke(main, [word.format(rates=rates) for word in command])
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
    assert "The PostgreSQL of FINER_DATABASE_URL does not answer: " in done.stderr


@pytest.fixture
def bare(database_url: str) -> Iterator[str]:
    """The address of a database that `finer migrate` was never run on, as somebody who may make nothing in it."""
    name = f"bare_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(f"create role {name} login")
        owner.execute(f"create database {name}")
        yield urlsplit(database_url)._replace(netloc=f"{name}@", path=f"/{name}").geturl()
        owner.execute(f"drop database {name} with (force)")
        owner.execute(f"drop role {name}")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["tenant", "list"], "has no tables of Finer yet. Run `finer migrate` first."),
        (["verify"], "has no tables of Finer yet. Run `finer migrate` first."),
        (["migrate"], "The user of the database may not make the schema: "),
    ],
)
def test_a_database_that_is_not_made_ready_is_told_in_a_sentence(
    command: list[str], says: str, bare: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINER_DATABASE_URL", bare)
    monkeypatch.setenv("FINER_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
    assert says in done.stderr
    doctor = CliRunner().invoke(main, ["doctor"])
    assert doctor.exit_code == 1
    assert "has no tables of Finer. Run finer migrate." in doctor.stdout


@pytest.mark.parametrize("command", [["migrate"], ["verify"], ["tenant", "list"]], ids=" ".join)
def test_a_database_of_another_program_is_told_and_left_alone(
    command: list[str], bare: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = urlsplit(database_url)._replace(path=urlsplit(bare).path).geturl()
    with psycopg.connect(owner) as other:
        other.execute("create table alembic_version (version_num varchar(32) not null)")
        other.execute("insert into alembic_version values ('3f2a9c1b7d44')")
    monkeypatch.setenv("FINER_DATABASE_URL", bare)
    monkeypatch.setenv("FINER_DATA_DIR", str(tmp_path))
    for asked in (command, ["doctor"]):
        done = CliRunner().invoke(main, asked)
        assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
        assert "holds the tables of another program" in (done.stdout if asked == ["doctor"] else done.stderr)
    with psycopg.connect(bare) as other:
        assert other.execute("select tablename from pg_tables where schemaname = 'public'").fetchall() == [
            ("alembic_version",)
        ]


@pytest.mark.parametrize(
    "command", [["up"], ["tenant", "list"], ["tenant", "create", "x", "X"], ["doctor"]], ids=" ".join
)
@pytest.mark.parametrize(
    ("below", "says"),
    [("file", "file is no folder."), ("file/deeper", "file is no folder."), ("x" * 300, "File name too long.")],
    ids=["file", "below a file", "too long"],
)
def test_a_data_folder_that_cannot_be_is_told_with_what_to_do(
    command: list[str], below: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path / below)])
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
    told = done.stdout if command == ["doctor"] else done.stderr
    assert says in told
    assert "by --data-dir or FINER_DATA_DIR" in told
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("command", [["up"], ["tenant", "list"], ["doctor"]], ids=" ".join)
def test_a_data_folder_whose_links_lead_in_a_circle_is_told(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path / "one")])
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
    assert "which cannot be found: Symlink loop" in done.stderr
    assert "Give another folder." in done.stderr


def test_a_role_of_finer_that_is_not_there_is_told_with_what_makes_it(database_url: str) -> None:
    with pytest.raises(NotMade, match="Run `finer migrate` first"):
        connect(database_url, "finer_absent")
    absent = Database(database_url, "finer_absent", connections=1)
    with pytest.raises(NotMade, match="Run `finer migrate` first"), absent.transaction(NO_TENANT, SYSTEM):
        pass


@pytest.mark.parametrize(
    "command",
    [["verify"], ["tenant", "list"], ["audit", "verify"], ["user", "link", "a@b.example", "--tenant", "t"]],
    ids=" ".join,
)
@pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "no folder"])
def test_a_misspelt_folder_is_told_and_no_database_made_in_it(command: list[str], there: bool) -> None:
    # Not tmp_path: where root runs the tests, a cluster of a folder that only root may enter would be elsewhere.
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above) / "finr"
        if there:
            folder.mkdir()
        done = CliRunner().invoke(main, [*command, "--data-dir", str(folder)])
        assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.exception
        assert f"There is no Finer data in {folder}. " in done.stderr
        assert "finer up" in done.stderr
        assert folder.exists() == there
        assert not there or list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ["audit", "export", "--from", "2026-01-01T00:00:00Z", "--to", "2026-02-01", "--tenant", "t"],
        ["keys", "rotate", "--before", "2026-01-01T08:00:00+08:00"],
        ["export", "orders", "--from", "2026-01-01T00:00:00Z", "--to", "2026-02-01", "--tenant", "t"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_moment_is_written_with_its_zone_or_without(command: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path)])
    assert (done.exit_code, "There is no Finer data in" in done.stderr) == (1, True), done.stderr
    command[command.index("2026-01-01T00:00:00Z" if "--from" in command else "2026-01-01T08:00:00+08:00")] = "gestern"
    done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path)])
    assert (done.exit_code, "'gestern' is no moment. Write it like 2026-03-01T12:00:00Z" in done.stderr) == (2, True)


def test_a_first_firm_makes_the_database_that_other_commands_then_find() -> None:
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        given = ["--data-dir", str(Path(above) / "data")]
        made = CliRunner().invoke(main, ["tenant", "create", "acme", "Acme Bank", *given])
        assert made.exit_code == 0, made.stderr
        assert "acme" in CliRunner().invoke(main, ["tenant", "list", *given]).stdout
        _, _, proposed = made.stdout.partition("Next: finer ")
        written = [*shlex.split(proposed), "--password-stdin", "--data-dir", str(Path(above) / "none")]
        understood = CliRunner().invoke(main, written, input="secret\n")
        assert (understood.exit_code, "There is no Finer data in" in understood.stderr) == (1, True), understood.stderr


def test_a_list_with_nothing_in_it_says_so_beside_the_lines(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FINER_DATABASE_URL", database.url)
    given = ["--data-dir", str(tmp_path), "--tenant", f"none-{uuid.uuid4().hex[:12]}"]
    made = CliRunner().invoke(main, ["tenant", "create", given[-1], "Nothing yet", *given[:2]])
    assert made.exit_code == 0, made.stderr
    lists = {path for path in EVERY if path[-1] == "list"} - {("job", "list"), ("contract", "list"), ("tenant", "list")}
    more = {("quarantine", "causes"), ("privacy", "requests"), ("sso", "domains"), ("job", "history")}
    for command in sorted(lists | more):
        told = CliRunner().invoke(main, [*command, *given])
        assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (0, "", 1), (command, told.output)
        assert told.stderr.endswith(".\n")
        read = CliRunner().invoke(main, [*command, *given, "--json"])
        assert (json.loads(read.stdout), read.stderr) == ([], ""), command


def test_a_misspelt_permission_is_told_the_nearest_and_a_strange_one_what_machines_may_have() -> None:
    given = ["key", "create", "k", "--tenant", "t", "--scope"]
    near = CliRunner().invoke(main, [*given, "decisions:writ"]).stderr
    assert "decisions:writ is no permission. The nearest are " in near
    assert "decisions:write" in near
    assert "events:write" not in near
    strange = CliRunner().invoke(main, [*given, "everything"]).stderr
    assert "A machine may have " in strange
    assert "events:write" in strange
    assert "people:role" not in strange


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINER_PORT", "a lot")
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "port" in done.stderr


def test_a_command_that_does_not_exist_is_refused_with_usage() -> None:
    done = CliRunner().invoke(main, ["fly"])
    assert done.exit_code == 2
    assert "No such command 'fly'" in done.stderr


def test_scripts_read_json() -> None:
    done = CliRunner().invoke(main, ["rules", "--json"])
    assert done.exit_code == 0
    assert [rule["id"] for rule in json.loads(done.stdout)] == [rule.id for rule in fraud.list_rules()]


def test_the_list_of_commands_imports_nothing_heavy() -> None:
    program = """if True:
        import sys, finer.app.cli
        finer.app.cli.main(["--help"], standalone_mode=False)
        print("loaded", *{name.split(".")[0] for name in sys.modules})
    """
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    listed, _, modules = done.stdout.partition("loaded ")
    for name, (_, says) in COMMANDS.items():
        hidden = main.get_command(click.Context(main), name).hidden  # type: ignore[union-attr]
        assert hidden == (not says)
        assert hidden or f"{name} " in listed
    loaded = set(modules.split())
    assert "click" in loaded
    assert loaded & {"numpy", "pyarrow", "numba", "litestar", "sqlalchemy", "duckdb", "lightgbm"} == set()
