"""The rules of the house hold, and each of them finds the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.checks import domains, files, habits, routes, sizes
from tests.house.checks.tree import REPOSITORY
from tests.house.conftest import Plant

Check = Callable[[Path], list[str]]

CHECKS: tuple[Check, ...] = (
    domains.doors,
    domains.plan,
    domains.foreign_tables,
    domains.table_prefixes,
    sizes.long_modules,
    sizes.long_functions,
    sizes.complex_functions,
    sizes.mean_complexity,
    habits.clock_reads,
    habits.float_money,
    habits.transactions,
    habits.unwired_facts,
    habits.loose_facts,
    habits.unfinished,
    files.machine_names,
    files.conflicts,
    files.large_files,
    files.readme,
    files.make_targets,
    files.broken_links,
    files.npm_lock,
    routes.undeclared_in_source,
)


@dataclass(frozen=True)
class Fault:
    """A fault planted in a file, and what the check says of it."""

    check: Check
    file: str
    text: str
    says: str


_FRAUD = "src/finer/fraud/service.py"
_BRANCHY = "def decide(a, b):\n" + "".join(f"    if a == {i} and b:\n        return {i}\n" for i in range(8))
_FACT = "class Raised(Fact, frozen=True):\n    name = 'x'\n"

FAULTS = (
    Fault(
        domains.doors, _FRAUD, "from finer.ledger.store import read\n", "finer.ledger.store.read: enter finer.ledger by"
    ),
    Fault(domains.doors, _FRAUD, "from finer.ledger import rules\n", "imports finer.ledger.rules"),
    Fault(domains.doors, _FRAUD, "import finer.ledger\n", "imports finer.ledger: enter"),
    Fault(domains.doors, "src/finer/app/api.py", "from finer.fraud import store\n", "imports finer.fraud.store"),
    Fault(domains.doors, "src/finer/demo/world.py", "from finer.fraud import service\n", "the demo is a user of Finer"),
    Fault(domains.plan, "src/finer/credit/__init__.py", "", "src/finer/credit has no service.py"),
    Fault(domains.plan, "src/finer/credit/__init__.py", "", "add finer.credit to the containers"),
    Fault(
        domains.plan, "src/finer/fraud/__init__.py", "from finer.fraud.types import Verdict\n", "nothing is re-exported"
    ),
    Fault(
        domains.plan,
        "pyproject.toml",
        '[[tool.importlinter.contracts]]\nid = "plan"\ncontainers = ["finer.fraud", "finer.ledger", "finer.gone"]\n',
        "lists finer.gone, which does not exist",
    ),
    Fault(
        domains.foreign_tables,
        "src/finer/fraud/store.py",
        'def read(c):\n    return c.execute(f"select 1 from ledger_postings where {c}")\n',
        "src/finer/fraud/store.py:2 names the table ledger_postings of finer.ledger: ask finer.ledger.service",
    ),
    Fault(
        domains.foreign_tables,
        "src/finer/fraud/tables.py",
        'sa.Table("fraud_alerts", m, sa.Column("p", sa.ForeignKey("ledger_postings.id")))\n',
        "names the table ledger_postings",
    ),
    Fault(domains.table_prefixes, "src/finer/fraud/tables.py", 'sa.Table("alerts", m)\n', "begin its name with fraud_"),
    Fault(sizes.long_modules, _FRAUD, "x = 1\n" * 401, f"{_FRAUD} has 401 lines (400 at most)"),
    Fault(sizes.long_modules, "web/src/page.tsx", "//\n" * 401, "web/src/page.tsx has 401 lines"),
    Fault(sizes.long_functions, _FRAUD, "def f():\n" + "    x = 1\n" * 70, f"{_FRAUD}:1 f has 71 lines (70 at most)"),
    Fault(sizes.complex_functions, _FRAUD, _BRANCHY, "decide has a cyclomatic complexity of 17 (15 at most)"),
    Fault(
        sizes.complex_functions, _FRAUD, f"@nb.njit(cache=True)\n{_BRANCHY}", "decide has a cyclomatic complexity of 17"
    ),
    Fault(sizes.mean_complexity, _FRAUD, _BRANCHY, "The average cyclomatic complexity is"),
    Fault(habits.clock_reads, _FRAUD, "import datetime\nx = datetime.datetime.now()\n", f"{_FRAUD}:2 calls datetime"),
    Fault(habits.clock_reads, _FRAUD, "import time\nx = time.time()\n", "take the time from the clock"),
    Fault(
        habits.float_money,
        "src/finer/fraud/tables.py",
        'sa.Table("fraud_alerts", m, sa.Column("amount", sa.Float))\n',
        "keeps amount as a fraction",
    ),
    Fault(
        habits.float_money,
        "src/finer/fraud/types.py",
        "class A:\n    unit_price: float | None\n",
        "keeps unit_price as",
    ),
    Fault(
        habits.transactions, _FRAUD, "def f(db):\n    with db.transaction(1):\n        pass\n", "only finer.app opens"
    ),
    Fault(habits.transactions, _FRAUD, "def f(tx):\n    tx.connection.commit()\n", "calls .commit()"),
    Fault(
        habits.unwired_facts, "src/finer/app/flow.py", "FLOW = {}\n", "AlertRaised has no line in src/finer/app/flow.py"
    ),
    Fault(
        habits.loose_facts, "src/finer/facts/fraud.py", "class Raised(Fact):\n    name = 1\n", "declare it with frozen"
    ),
    Fault(habits.loose_facts, "src/finer/facts/fraud.py", _FACT, 'set name = "fraud.something_happened.v1"'),
    Fault(habits.loose_facts, "src/finer/facts/fraud.py", f"{_FACT}    def go(self): ...\n", "Raised has a method"),
    Fault(habits.unfinished, _FRAUD, "x = 1  # TO" + "DO later\n", f"{_FRAUD}:1 looks unfinished"),
    Fault(
        files.machine_names,
        "requirements.lock",
        "--index-url https://py" + "pi.org/simple\n",
        "requirements.lock:1 names",
    ),
    Fault(files.machine_names, "docs/more.md", "Look in /ho" + "me/ana/finer.\n", "docs/more.md:1 names a local path"),
    Fault(files.conflicts, "docs/more.md", "One.\n" + "<" * 7 + " HEAD\n", "docs/more.md:2 is the mark of a conflict"),
    Fault(files.large_files, "data.csv", "x" * (2**20 + 1), "data.csv has 1024 KiB"),
    Fault(files.readme, "README.md", "line\n" * 121, "README.md has 121 lines"),
    Fault(files.readme, "README.md", "`make run`\n", "README.md does not show `make test`"),
    Fault(
        files.make_targets, "docs/more.md", "Then `make fly`.\n", "docs/more.md names `make fly`, which the Makefile"
    ),
    Fault(
        files.broken_links, "docs/more.md", "[gone](gone.md#part)\n", "docs/more.md links to gone.md, which does not"
    ),
    Fault(
        files.npm_lock,
        "web/package-lock.json",
        '{"packages": {"node_modules/a": {"optionalDependencies": {"b": "2"}}, "node_modules/c/node_modules/b": {}}}',
        "node_modules/a may ask for b, which is not locked",
    ),
    Fault(
        files.npm_lock,
        "web/package-lock.json",
        '{"packages": {"": {}, "node_modules/a": {"resolved": "https://somewhere"}}}',
        "node_modules/a is locked to a registry",
    ),
    Fault(
        routes.undeclared_in_source,
        "src/finer/fraud/routes.py",
        "from litestar import get\n\n\n@get('/alerts', summary='Alerts')\ndef alerts():\n    return []\n",
        "src/finer/fraud/routes.py:5 alerts declares no permission",
    ),
    Fault(
        routes.undeclared_in_source,
        "src/finer/app/web.py",
        "from litestar import get\n\n\n@get\nasync def page():\n    return ''\n",
        "page declares no permission",
    ),
)


def _name(check: Check) -> str:
    return f"{check.__module__.rsplit('.', 1)[-1]}.{check.__name__}"


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_the_rule_holds_here(check: Check) -> None:
    found = check(REPOSITORY)
    assert not found, f"{check.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_a_healthy_house_passes(check: Check, plant: Plant) -> None:
    assert check(plant({})) == []


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{_name(fault.check)}-{i}" for i, fault in enumerate(FAULTS)])
def test_a_planted_fault_is_found(fault: Fault, plant: Plant) -> None:
    found = fault.check(plant({fault.file: fault.text}))
    assert any(fault.says in sentence for sentence in found), found


def test_every_rule_is_proven_by_a_fault() -> None:
    assert {fault.check for fault in FAULTS} == set(CHECKS)
