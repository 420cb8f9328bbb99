"""The scripts of the house do what they say, and its settings give their reasons."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checks.tree import REPOSITORY
from tools import browser, checks

_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(.*?) \\$", re.MULTILINE)


def _pins(name: str) -> set[tuple[str, str]]:
    return {(found[0], found[1]) for found in _PIN.findall((REPOSITORY / name).read_text())}


def test_everything_locked_has_hashes_and_both_locks_agree() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "tools/uv.lock"):
        text = (REPOSITORY / name).read_text()
        blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert _pins("requirements.lock") < _pins("requirements-dev.lock")


def test_the_lock_holds_what_installing_the_checkout_needs() -> None:
    assert "hatchling" in {name for name, _ in _pins("requirements.lock")}


def test_every_rule_left_out_has_its_reason() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.per-file-ignores]")]
    entries = [line for line in section.splitlines() if line.startswith('  "')]
    assert entries
    assert [line for line in entries if not re.search(r"#\s+\S.{6,}", line)] == []


def test_continuous_integration_runs_make_test() -> None:
    run = REPOSITORY / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert "make test" in run.read_text()


def test_help_lists_every_target_of_a_developer() -> None:
    done = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for target in ("run", "test", "check", "format", "docs", "web", "bench", "lock", "clean"):
        assert re.search(rf"^  make {target} ", done.stdout, re.MULTILINE), target


def test_a_missing_python_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "env").symlink_to("/usr/bin/env")
    (tmp_path / "bash").symlink_to("/bin/bash")
    command = [str(REPOSITORY / "tools" / "make-venv"), str(tmp_path / "venv")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Finer needs Python 3.11 or newer" in done.stderr


def test_a_missing_node_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bash").symlink_to("/bin/bash")
    command = [str(REPOSITORY / "tools" / "check-node")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Node 20.19 or newer" in done.stderr


def _script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_pip_installs_what_uv_cannot(tmp_path: Path) -> None:
    own = tmp_path / ".tools" / "uv" / "bin"
    own.mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    install = shutil.copy(REPOSITORY / "tools" / "install", tmp_path / "tools")

    def installed_by() -> str:
        command = [install, "somewhere", "--requirement", "a.lock"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    _script(own, "python", 'echo "pip $@"')
    by_pip = installed_by()
    assert by_pip.startswith("pip -m pip ")
    assert by_pip.endswith("--python somewhere/bin/python install --quiet --requirement a.lock\n")
    _script(own, "uv", "exit 2")
    assert installed_by() == by_pip
    _script(own, "uv", 'echo "uv $@"')
    assert installed_by() == "uv pip install --python somewhere/bin/python --quiet --requirement a.lock\n"


def test_uv_goes_where_pip_is_told_to_go(tmp_path: Path) -> None:
    own = tmp_path / ".tools" / "uv" / "bin"
    own.mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    install = shutil.copy(REPOSITORY / "tools" / "install", tmp_path / "tools")
    _script(own, "uv", 'echo "$UV_DEFAULT_INDEX $HTTPS_PROXY"')

    def goes(*pip_says: str, **told: str) -> str:
        _script(own, "python", "\n".join(f'echo "{line}"' for line in pip_says))
        environment = {"PATH": os.environ["PATH"]} | told
        return subprocess.run(
            [install, "somewhere"], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert goes(":env:.cert='/a'") == " \n"
    by_file = (
        "global.extra-index-url='https://other'",
        "global.index-url='https://mirror/simple'",
        "global.proxy='http://proxy:3128'",
    )
    assert goes(*by_file) == "https://mirror/simple http://proxy:3128\n"
    nearer = ":env:.index-url='https://nearer/simple'"
    assert goes(nearer, *by_file) == "https://nearer/simple http://proxy:3128\n"
    assert goes(*by_file, UV_DEFAULT_INDEX="https://uv", HTTPS_PROXY="http://own") == "https://uv http://own\n"


def test_the_first_browser_that_really_starts_is_taken(tmp_path: Path) -> None:
    broken, good = _script(tmp_path, "broken", "exit 127"), _script(tmp_path, "good", "exit 0")
    asked: list[str] = []

    def system() -> Iterator[str]:
        asked.append("system")
        yield broken

    def downloaded() -> Iterator[str]:
        asked.append("downloaded")
        yield good

    def packaged() -> Iterator[str]:
        asked.append("packaged")
        yield good

    assert browser.find_browser((system, downloaded, packaged)) == good
    assert asked == ["system", "downloaded"]
    assert browser.find_browser((system,)) is None


def test_steps_are_told_apart_by_how_they_ended(capfd: pytest.CaptureFixture[str]) -> None:
    results = checks.run_lanes([checks.Step("good", ("true",))], [checks.Step("bad", ("sh", "-c", "echo why; exit 3"))])
    assert {result.name: result.passed for result in results} == {"good": True, "bad": False}
    said = capfd.readouterr().out
    assert "why" in said
    assert "--- bad: FAILED with exit code 3" in said


def test_what_runs_beside_a_step_is_told_after_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "linted"
    lint = checks.Step("lint", ("sh", "-c", "echo wrong; exit 1"))
    lanes = [[lint, checks.Step("mark", ("touch", str(mark)))], [checks.Step("nice", ("nice",))]]
    step = checks.Step("tests", ("sh", "-c", f"until [ -e {mark} ]; do sleep 0.01; done; echo tested"))
    results = checks.run_beside(step, *lanes)
    assert {result.name: result.passed for result in results} == {
        "lint": False,
        "mark": True,
        "nice": True,
        "tests": True,
    }
    said = capfd.readouterr().out
    assert said.index("tested") < said.index("wrong")
    assert "--- lint: FAILED with exit code 1" in said
    assert "\n19\n" in said  # they take only what the step leaves


def test_the_closing_line_adds_up_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "REPORTS", tmp_path)
    suite = '<testsuites><testsuite tests="{}" failures="{}" errors="0" skipped="1" /></testsuites>'
    (tmp_path / "tests.xml").write_text(suite.format(10, 2))
    (tmp_path / "journeys.xml").write_text(suite.format(5, 0))
    assert " 2 failed, 11 passed, 2 skipped in 12.30s " in checks.tests_line(12.3)
