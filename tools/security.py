"""`make security`: try every attack of the register, ask the scanners, and write docs/assurance/report.md.

Ends with 1 when an attack did not hold or was not tried, and when a scanner found something that nobody answers for. A
scanner that could not be asked (some mirrors of npm have no audit) is named in the report and on the screen. pip-audit
has an environment of its own, so that what it needs changes nothing of ours.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tools.checks import REPORTS, ROOT, find_browser
from tools.registers import ASSURANCE, ASVS, ATTACKS, SUPPRESSIONS, Suppression, expired, read_table

REPORT = ASSURANCE / "report.md"
_RESULTS, _AGAIN = REPORTS / "security.xml", REPORTS / "security-again.xml"
_AUDITOR = ROOT / ".tools" / "audit"
_AUDIT_PACKAGE = "pip-audit==2.10.1"
_SEVERE = {"MEDIUM", "HIGH"}
_SCAN_S = 600
_ADDRESS = re.compile(r"https?://\S+")


@dataclass
class Attack:
    """One attack of the register, and how the tests that try it ended."""

    id: str
    name: str
    wave: str
    tests: int = 0
    failed: list[str] = field(default_factory=list)
    again: int = 0
    """Tests that could not begin at first, because what they need did not start in time, and were begun anew."""

    @property
    def held(self) -> bool:
        """Tried, and nothing of it succeeded."""
        return self.tests > 0 and not self.failed


@dataclass(frozen=True)
class Scan:
    """What a scanner said: its findings as (id, sentence), or why it could not be asked."""

    tool: str
    version: str
    findings: list[tuple[str, str]]
    problem: str = ""


def try_attacks() -> list[Attack]:
    """Run tests/security and whatever else the register names; returns every attack that has a surface."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    rows = [row for row in read_table(ATTACKS) if row["surface"] == "yes"]
    patterns = {row["id"]: row["tests"].split() for row in rows}
    files = sorted({str(path.relative_to(ROOT)) for one in patterns.values() for path in _files(one)})
    others = [file for file in files if not file.startswith("tests/security/")]
    _pytest(["tests/security", *others, "-n", "2", "--dist", "loadfile"], _RESULTS)
    cases, begun_again = _cases(_RESULTS), set[str]()
    if unbegun := [name for name, case in cases.items() if _is_unbegun(case)]:
        # Nothing was tried in these. One that failed is not tried again: an attack that succeeds once has succeeded.
        _pytest([*sorted({name.partition("::")[0] for name in unbegun}), "-n", "0"], _AGAIN)
        begun = _cases(_AGAIN)
        begun_again = {name for name in unbegun if name in begun}
        cases |= {name: begun[name] for name in begun_again}
    return judged([Attack(row["id"], row["attack"], row["wave"]) for row in rows], patterns, cases, begun_again)


def _pytest(what: list[str], results: Path) -> None:
    _, browser = find_browser()
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *what, f"--junit-xml={results}", "-q"]
    subprocess.run(command, cwd=ROOT, env=os.environ | browser, check=False)


def _cases(results: Path) -> dict[str, ET.Element]:
    """Every test that was run, by its place and name; one that also failed while cleaning up counts as failed."""
    found: dict[str, ET.Element] = {}
    for case in ET.parse(results).getroot().iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"
        if name not in found or case.find("error") is not None or case.find("failure") is not None:
            found[name] = case
    return found


def _is_unbegun(case: ET.Element) -> bool:
    error = case.find("error")
    return error is not None and error.get("message", "").startswith("failed on setup")


def judged(
    attacks: list[Attack], patterns: Mapping[str, list[str]], cases: Mapping[str, ET.Element], begun_again: set[str]
) -> list[Attack]:
    """What the tests say of each attack."""
    for whole, case in cases.items():
        place, name = whole.partition("::")[0], case.get("name", "").partition("[")[0]
        for attack in attacks:
            if _names(patterns[attack.id], place, name) and case.find("skipped") is None:
                attack.tests += 1
                attack.again += whole in begun_again
                if case.find("failure") is not None or case.find("error") is not None:
                    attack.failed.append(f"{place}::{case.get('name')}")
    return attacks


def _files(patterns: Iterable[str]) -> Iterable[Path]:
    return (path for pattern in patterns for path in ROOT.glob(pattern.partition("::")[0]))


def _names(patterns: Iterable[str], place: str, name: str) -> bool:
    parts = (pattern.partition("::") for pattern in patterns)
    return any(fnmatch.fnmatchcase(place, file) and fnmatch.fnmatchcase(name, test) for file, _, test in parts)


def bandit() -> Scan:
    """Our own code, by bandit: findings of medium severity and more."""
    program = str(Path(sys.executable).parent / "bandit")
    done = _run(program, "--configfile", "pyproject.toml", "--quiet", "--recursive", "src", "--format", "json")
    try:
        results = json.loads(done)["results"]
    except (ValueError, KeyError):
        return Scan("bandit", version("bandit"), [], _no_answer("bandit", done))
    severe = [one for one in results if one["issue_severity"] in _SEVERE]
    found = [
        (f"{one['test_id']}:{one['filename']}", f"{one['issue_text']} (line {one['line_number']})") for one in severe
    ]
    return Scan("bandit", version("bandit"), found)


def pip_audit() -> Scan:
    """The Python packages that Finer runs with, by pip-audit."""
    python = _AUDITOR / "bin" / "python"
    if not (_AUDITOR / "bin" / "pip-audit").exists():
        _run(sys.executable, "-m", "venv", str(_AUDITOR))
        _run(str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", _AUDIT_PACKAGE)
    tool = _AUDIT_PACKAGE.partition("==")[2]
    options = ("--requirement", "requirements.lock", "--require-hashes", "--disable-pip", "--format", "json")
    done = _run(str(python), "-m", "pip_audit", *options)
    try:
        packages = json.loads(done[done.index("{") :])["dependencies"]
    except (ValueError, KeyError):
        return Scan("pip-audit", tool, [], _no_answer("pip-audit", done))
    found = [
        (
            weakness["id"],
            f"{package['name']} {package['version']}, mended in {', '.join(weakness['fix_versions']) or '-'}",
        )
        for package in packages
        for weakness in package.get("vulns", [])
    ]
    return Scan("pip-audit", tool, found)


def npm_audit() -> Scan:
    """The packages of the web app, by npm: findings of high severity and more."""
    tool = _run("npm", "--version").strip().splitlines()[-1]
    done = _run("npm", "audit", "--json", folder=ROOT / "web")
    try:
        packages = json.loads(done[done.index("{") :])["vulnerabilities"]
    except (ValueError, KeyError):
        return Scan("npm-audit", tool, [], _no_answer("npm audit", done))
    severe = [one for one in packages.values() if one["severity"] in {"high", "critical"}]
    return Scan("npm-audit", tool, [(one["name"], f"{one['severity']}, {one['range']}") for one in severe])


def _no_answer(tool: str, said: str) -> str:
    try:
        said = json.loads(said)["message"]
    except (ValueError, KeyError, TypeError):
        said = said.strip()[-200:]
    # Which registry a machine asks is nobody else's business, and the report is kept.
    return f"{tool} gave no answer: {_ADDRESS.sub('its registry', said)}"


def _run(*command: str, folder: Path = ROOT) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SCAN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout or done.stderr


def open_findings(attacks: list[Attack], scans: list[Scan]) -> list[str]:
    """Why the campaign failed; empty when it held."""
    answered = {(one.tool, one.id) for one in _suppressions()}
    wrong = [f"{one.id} did not hold: {', '.join(one.failed[:3])}" for one in attacks if one.failed]
    wrong += [f"{one.id} was not tried." for one in attacks if not one.tests]
    for scan in scans:
        wrong += [f"{scan.tool}: {text} ({name})" for name, text in scan.findings if (scan.tool, name) not in answered]
    wrong += [f"The suppression of {one.id} ended on {one.expires}." for one in expired(datetime.now(UTC).date())]
    return wrong


def report(attacks: list[Attack], scans: list[Scan], seconds: float) -> str:
    """docs/assurance/report.md."""
    wrong, suppressions = open_findings(attacks, scans), _suppressions()
    parts = ["\n".join(["# Security campaign", "", _INTRODUCTION, "", *_summary(attacks, wrong, seconds)])]
    parts.append("\n".join(["## Findings open", "", *([f"- {one}" for one in wrong] or ["None."])]))
    answered = {(one.tool, one.id) for one in suppressions}
    parts.append("\n".join(["## Scanners", "", *_scanner_table(scans, answered)]))
    if silent := [f"- {scan.tool}: {' '.join(scan.problem.split())}" for scan in scans if scan.problem]:
        parts.append("\n".join(["## Not asked", "", *silent]))
    texts = [f"- {one.tool} {one.id}, until {one.expires}, {one.owner}: {one.reason}" for one in suppressions]
    parts.append("\n".join(["## Suppressions", "", *(texts or ["None."])]))
    rows = [f"| {one.id} | {one.name} | {one.tests} | {'held' if one.held else 'OPEN'} |" for one in attacks]
    head = "[The register](attacks.csv) names the tests of each, and says why the others have no surface."
    table = ["| id | attack | tests | state |", "| --- | --- | --- | --- |", *rows]
    parts.append("\n".join(["## Attacks", "", head, "", *table]))
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """Written by `make security`; run it to write it again. It says which attacks were tried and how they
ended, and no more than that: not that Finer is secure."""


def _suppressions() -> list[Suppression]:
    return [Suppression(**row) for row in read_table(SUPPRESSIONS)]


def _summary(attacks: list[Attack], wrong: list[str], seconds: float) -> list[str]:
    states = [row["state"] for row in read_table(ASVS)]
    tried, tests = sum(one.tests > 0 for one in attacks), sum(one.tests for one in attacks)
    first = sum(one.wave == "1" for one in attacks)
    met, gaps, beside = (states.count(state) for state in ("met", "gap", "not applicable"))
    commit = _run("git", "rev-parse", "--short", "HEAD").strip()
    names = ("finer", "litestar", "granian", "cryptography", "schemathesis")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    again = sum(one.again for one in attacks)
    twice = f", {again} of them begun anew because their surroundings were not there in time" if again else ""
    surface = f"{len(attacks)} that have a surface today ({first} of the first wave)"
    return [
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, on commit {commit}, in {seconds:.0f} s",
        f"- Attacks tried: {tried} of the {surface}, by {tests} tests{twice}",
        f"- Held: {sum(one.held for one in attacks)}",
        f"- Findings open: {len(wrong)}",
        f"- ASVS 5.0, levels 1 and 2: {met} met, {gaps} gaps, {beside} not applicable ([each of them](asvs.csv))",
        f"- Versions: {versions}, Python {platform.python_version()}",
    ]


def _scanner_table(scans: list[Scan], answered: set[tuple[str, str]]) -> list[str]:
    lines = ["| scanner | version | findings | answered for |", "| --- | --- | --- | --- |"]
    for scan in scans:
        count = "not asked" if scan.problem else len(scan.findings)
        known = sum((scan.tool, name) in answered for name, _ in scan.findings)
        lines.append(f"| {scan.tool} | {scan.version} | {count} | {known} |")
    return lines


def main() -> None:
    """Run the campaign and write the report."""
    started = time.monotonic()
    attacks = try_attacks()
    scans = [bandit(), pip_audit(), npm_audit()]
    REPORT.write_text(report(attacks, scans, time.monotonic() - started), encoding="utf-8")
    print(f"\n{REPORT.relative_to(ROOT)} is written: {len(attacks)} attacks, {sum(one.held for one in attacks)} held.")
    for scan in scans:
        if scan.problem:
            print(f"Not asked: {scan.problem}")
    if wrong := open_findings(attacks, scans):
        sys.exit("\n".join(["Open:", *wrong]))


if __name__ == "__main__":
    main()
