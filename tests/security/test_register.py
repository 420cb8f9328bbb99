"""The registers of docs/assurance say what is true: ids, tests that exist, suppressions still running; I06, I07."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.support.asgi import Driver
from tools.registers import ASVS, ATTACKS, ROOT, SUPPRESSIONS, Suppression, expired, matching, read_table

_ATTACK_ID = re.compile(r"[A-IW]\d{2}")
_TOTALS = {"A": 12, "B": 14, "C": 13, "D": 6, "E": 3, "W": 6, "G": 6, "H": 4, "I": 8}


def test_the_catalogue_is_whole() -> None:
    rows = read_table(ATTACKS)
    letters = [row["id"][0] for row in rows]
    assert {letter: letters.count(letter) for letter in _TOTALS} == _TOTALS
    assert len({row["id"] for row in rows}) == len(rows) == 72
    assert sum(row["wave"] == "1" for row in rows) == 52


@pytest.mark.parametrize("row", read_table(ATTACKS), ids=lambda row: row["id"])
def test_every_attack_with_a_surface_names_tests_that_exist(row: dict[str, str]) -> None:
    assert _ATTACK_ID.fullmatch(row["id"])
    assert row["attack"]
    if row["surface"] == "no":
        assert row["reason"], "Say why the product has no surface for this attack today."
        assert (row["tests"], row["state"]) == ("", "no surface")
        return
    assert (row["surface"], row["state"]) == ("yes", "held")
    assert row["tests"], "Name the tests that try this attack."
    for pattern in row["tests"].split():
        assert matching(pattern), f"{pattern} names no test."


def test_a_test_that_carries_the_id_of_an_attack_is_in_the_register() -> None:
    known = {row["id"].lower(): row["tests"] for row in read_table(ATTACKS)}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in matching(f"{file.relative_to(ROOT)}::test_[abcdeghiw][0-9][0-9]_*"):
            attack = name.split("::")[1].split("_")[1]
            assert known.get(attack), f"{name} tries {attack.upper()}, which has no surface in {ATTACKS.name}."


def test_the_requirements_of_asvs_are_all_there() -> None:
    rows = read_table(ASVS)
    assert [row["level"] for row in rows].count("1") == 70
    assert [row["level"] for row in rows].count("2") == 183
    numbers = [tuple(int(part) for part in row["id"][1:].split(".")) for row in rows]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("row", read_table(ASVS), ids=lambda row: row["id"])
def test_a_requirement_that_is_met_names_what_shows_it(row: dict[str, str]) -> None:
    assert row["requirement"]
    assert row["state"] in {"met", "not applicable", "gap"}
    if row["state"] != "met":
        assert row["note"], "Say why it does not apply, or what is missing."
        return
    assert row["evidence"]
    for one in row["evidence"].split():
        assert matching(one) if "::" in one else (ROOT / one).is_file(), f"{one} does not exist."


def test_a_suppression_has_an_owner_a_reason_and_an_end() -> None:
    today = datetime.now(UTC).date()
    for row in read_table(SUPPRESSIONS):
        found = Suppression(**row)
        assert found.tool in {"bandit", "pip-audit", "npm-audit"}
        assert all((found.id, found.owner, found.reason))
        assert (date.fromisoformat(found.expires) - today).days <= 366
    assert expired(today) == [], "A suppression has ended: mend the finding, or decide anew."


def test_an_ended_suppression_fails(tmp_path: Path) -> None:
    table = tmp_path / "suppressions.csv"
    table.write_text("tool,id,owner,reason,expires\nbandit,B000:x.py,somebody,because,2026-01-31\n")
    assert [one.id for one in expired(date(2026, 2, 1), table)] == ["B000:x.py"]
    assert expired(date(2026, 1, 31), table) == []


def test_i06_every_dependency_is_locked_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text().replace("\\\n", " ")
        for line in text.splitlines():
            if line and not line.lstrip().startswith("#"):
                assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+", line), line
                assert "--hash=sha256:" in line, line
        assert "://" not in re.sub(r"#.*", "", text)
    lock = (ROOT / "web" / "package-lock.json").read_text()
    assert lock.count('"integrity": "sha512-') > 100
    assert '"resolved"' not in lock


@pytest.mark.parametrize(
    "path",
    ["/docs", "/schema", "/schema/swagger", "/redoc", "/debug", "/.git/config", "/.env", "/admin", "/api/v1/debug",
     "/api/v1/schema", "/assets/index.js.map", "/server-status", "/actuator/env", "/phpinfo.php", "/api/v1/token"],
)  # fmt: skip
def test_i07_nothing_is_left_over(driver: Driver, path: str) -> None:
    """No debug page, no documentation that runs requests, no source map, no file of the repository."""
    answer = driver.call("GET", path)
    for word in ("swagger", "redoc", "[core]", "SECRET", "sourcesContent", "Traceback"):
        assert word not in answer.text
    assert answer.status in (200, 401, 404)
    if answer.status == 200:
        assert answer.header("content-type").startswith("text/html")  # the app, which shows that there is no such page


def test_i07_metrics_are_for_this_machine(driver: Driver) -> None:
    assert driver.call("GET", "/metrics", address="203.0.113.9").status == 403
    assert driver.call("GET", "/metrics", {"x-forwarded-for": "127.0.0.1"}, address="203.0.113.9").status == 403
    assert driver.call("GET", "/metrics", address="127.0.0.1").status == 200
    for header in ("x-forwarded-for", "x-real-ip", "forwarded", "via"):
        assert driver.call("GET", "/metrics", {header: "203.0.113.9"}, address="127.0.0.1").status == 403


def test_i07_the_web_app_ships_no_source_maps() -> None:
    assert "sourcemap: false" in (ROOT / "web" / "vite.config.ts").read_text()
