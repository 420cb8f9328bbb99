"""Run the checks and tests of the house, each with its time, and end with one line for all tests.

`checks.py check` runs lint, types and import contracts of the Python code; `checks.py all` runs everything.
A failing step does not stop the others, so that one run tells all that is wrong.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
# Some containers are set up so that Python keeps no compiled modules. Here a hundred processes of Finer are started,
# and each would compile all of it once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
BIN = Path(sys.executable).parent
REPORTS = ROOT / ".tools" / "reports"
BROWSER_VARIABLE = "FINER_TEST_BROWSER"

_print_lock = Lock()


@dataclass(frozen=True)
class Step:
    """One command and the name it is reported by; `folder` is relative to the repository."""

    name: str
    command: tuple[str, ...]
    folder: str = "."
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a step ended, and what it said where that was collected."""

    name: str
    passed: bool
    seconds: float
    said: str = ""


def _tool(name: str) -> str:
    return str(BIN / name)


LINT = (
    Step("ruff format", (_tool("ruff"), "format", "--check")),
    Step("ruff check", (_tool("ruff"), "check")),
    Step("import contracts", (_tool("lint-imports"),)),
)
# They take half a minute of CPU and wait for nobody, so in `all` they run beside the tests.
SLOW_LINT = (
    Step("mypy", (_tool("mypy"),)),
    Step("bandit", (_tool("bandit"), "--configfile", "pyproject.toml", "--quiet", "--recursive", "src")),
)
KERNELS = (Step("kernels", (sys.executable, "-m", "tools.kernels")),)
WEB_STEPS = (
    Step("web build (tsc, vite)", ("npm", "run", "--silent", "build"), "web"),
    Step("web bundle", ("npm", "run", "--silent", "check:bundle"), "web"),
)
WEB_TESTS = (
    Step("biome", ("npm", "run", "--silent", "lint"), "web"),
    Step("vitest", ("npm", "run", "--silent", "test"), "web"),
)
# So many lines of a step that failed are told once more at the end.
LAST_WORDS = 25
# What runs beside the tests takes only what they leave: they wait for servers and pages an eighth of their time.
_NICELY = ("nice", "-n", "19")
# Two processes that test keep two cores busy: threads of OpenBLAS beside them would only take turns with them.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
# The story of the first hour starts every process of Finer: with this variable they are traced by coverage.py.
TRACE_VARIABLE = "FINER_TEST_TRACE_STORY"


def pytest_step(name: str, *arguments: str, environment: dict[str, str] | None = None) -> Step:
    """A pytest run that writes down which lines it reaches, with a report that `tests_line` adds up."""
    report = REPORTS / f"{name.replace(' ', '-')}.xml"
    command = (sys.executable, "-m", "pytest", "-p", "tests.support.coverage", *arguments, f"--junit-xml={report}")
    return Step(name, command, environment=environment or {})


def run_visibly(step: Step) -> Result:
    """Run a step with its output going straight to the screen."""
    _heading(step.name)
    started = time.monotonic()
    code = subprocess.run(
        step.command, cwd=ROOT / step.folder, env=os.environ | step.environment, check=False
    ).returncode
    return _ended(step, code, started)


def run_collected(step: Step, screen: TextIO) -> Result:
    """Run a step beside others: its output is shown in one piece when it ends."""
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=ROOT / step.folder,
        env=os.environ | step.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with _print_lock:
        _heading(step.name, screen)
        print(done.stdout, end="", flush=True, file=screen)
        return replace(_ended(step, done.returncode, started, screen), said=done.stdout)


def run_lanes(*lanes: Iterable[Step], screen: TextIO | None = None) -> list[Result]:
    """Run lanes beside one another, and the steps of one lane in their order."""

    def run_lane(lane: Iterable[Step]) -> list[Result]:
        return [run_collected(step, screen or sys.stdout) for step in lane]

    with ThreadPoolExecutor(len(lanes)) as pool:
        return [result for results in pool.map(run_lane, lanes) for result in results]


def run_beside(step: Step, *lanes: Iterable[Step]) -> list[Result]:
    """Run a step visibly, and lanes with what it leaves of the machine; what they say is shown when all have ended."""
    said = io.StringIO()
    nicely = [[replace(one, command=_NICELY + one.command) for one in lane] for lane in lanes]
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(run_lanes, *nicely, screen=said)
        result = run_visibly(step)
        results = beside.result()
    print(said.getvalue(), end="", flush=True)
    return [*results, result]


def find_browser() -> tuple[Result, dict[str, str]]:
    """Make sure of a browser; returns the variable that tells the journeys which."""
    step = Step("browser", (sys.executable, str(ROOT / "tools" / "browser.py")))
    started = time.monotonic()
    done = subprocess.run(step.command, stdout=subprocess.PIPE, text=True, check=False)
    path = done.stdout.strip()
    with _print_lock:
        _heading(step.name)
        print(path, flush=True)
        return _ended(step, done.returncode, started), {BROWSER_VARIABLE: path}


def coverage_step() -> list[Result]:
    """Join the measurements of all test processes and hold them to the limit in pyproject.toml."""
    joined = run_visibly(Step("coverage data", (sys.executable, "-m", "coverage", "combine", "--quiet")))
    return [joined, run_visibly(Step("coverage", (sys.executable, "-m", "coverage", "report")))]


def tests_line(seconds: float) -> str:
    """The closing line, as pytest prints it, for all pytest runs together."""
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for report in sorted(REPORTS.glob("*.xml")):
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - written by pytest a moment ago
            for key in totals:
                totals[key] += int(suite.get(key, "0"))
    passed = totals["tests"] - totals["failures"] - totals["errors"] - totals["skipped"]
    counts = [(totals["failures"], "failed"), (passed, "passed"), (totals["skipped"], "skipped")]
    counts.append((totals["errors"], "errors"))
    text = ", ".join(f"{count} {word}" for count, word in counts if count) or "no tests ran"
    return f" {text} in {seconds:.2f}s ".center(100, "=")


def run_all() -> list[Result]:
    """Every check and every test."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in (*REPORTS.glob("*.xml"), *ROOT.glob(".coverage*")):
        old.unlink()
    # First what the tests need, and what would run out of patience if it got only what they leave.
    with ThreadPoolExecutor(1) as pool:
        looked_for = pool.submit(find_browser)  # which may have to be downloaded
        results = run_lanes(WEB_STEPS, KERNELS + LINT, WEB_TESTS)
        found, browser = looked_for.result()
    # In the order in which they were collected, which begins with the long files (tests/conftest.py).
    parallel = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
    tests = pytest_step("tests", *parallel, environment=browser | ONE_THREAD | {TRACE_VARIABLE: "1"})
    results += [found, *run_beside(tests, SLOW_LINT)]
    return results + coverage_step()


def main() -> None:
    """Run what was asked for, print the times, and exit with 1 when anything failed."""
    wanted = sys.argv[1] if len(sys.argv) == 2 else ""
    if wanted not in {"check", "all"}:
        sys.exit("usage: checks.py check|all")
    started = time.monotonic()
    results = run_all() if wanted == "all" else run_lanes(LINT + SLOW_LINT)
    seconds = time.monotonic() - started
    _heading("times")
    for result in results:
        print(f"  {result.seconds:7.1f} s  {'passed' if result.passed else 'FAILED'}  {result.name}")
    print(f"  {seconds:7.1f} s  in all", flush=True)
    if wanted == "all":
        print(tests_line(seconds), flush=True)
    if failed := [result for result in results if not result.passed]:
        # What a step said stands above everything that ran after it, and who reads a log begins at its end.
        for result in (one for one in failed if one.said):
            _heading(f"the last words of {result.name}")
            print("\n".join(result.said.rstrip().splitlines()[-LAST_WORDS:]), flush=True)
        sys.exit(f"Failed: {', '.join(result.name for result in failed)}.")


def _heading(text: str, screen: TextIO | None = None) -> None:
    print(f"\n--- {text} ".ljust(100, "-"), flush=True, file=screen)


def _ended(step: Step, code: int, started: float, screen: TextIO | None = None) -> Result:
    seconds = time.monotonic() - started
    how = "passed" if code == 0 else f"FAILED with exit code {code}"
    print(f"--- {step.name}: {how} in {seconds:.1f} s", flush=True, file=screen)
    return Result(step.name, code == 0, seconds)


if __name__ == "__main__":
    main()
