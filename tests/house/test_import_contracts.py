"""The import contracts in pyproject.toml find what they are there for, on a drawing of the whole house."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.checks.tree import REPOSITORY

DOMAINS = (
    "identity", "notifications", "ingest", "ledger", "sources", "features", "scoring", "decisions", "fraud",
    "screening", "warehouse", "privacy", "quality", "segments", "workspace", "dashboards", "lineage",
)  # fmt: skip
LATER = ("customers", "credit", "marketing", "advice", "operations")
ROOMS = ("types", "errors", "rules", "tables", "store", "invariants", "service", "routes", "handlers", "jobs")
KIT = ("clock", "crypto", "db", "jobs", "live", "log", "migration", "postgres", "settings", "tx", "money")

FAULTS = {
    "finer/ledger/service.py": "from finer.fraud import service",
    "finer/fraud/service.py": "from finer.marketing import service",
    "finer/marketing/routes.py": "from finer.marketing import store",
    "finer/ingest/rules.py": "from finer.kit import clock",
    "finer/identity/rules.py": "import sqlalchemy",
    "finer/identity/service.py": "import sqlalchemy",
    "finer/decisions/service.py": "import litestar",
    "finer/scoring/rules.py": "from finer.scoring import service",
    "finer/features/helpers.py": "",
    "finer/kit/money.py": "from finer.identity import types",
    "finer/facts/__init__.py": "from finer.decisions import types",
    "finer/insurance/__init__.py": "",
    "finer/app/worker.py": "import psycopg",
    "finer/warehouse/types.py": "import pathlib",
}
SAID = (
    "finer.ledger is not allowed to import finer.fraud",
    "finer.fraud is not allowed to import finer.marketing",
    "finer.marketing.routes is not allowed to import finer.marketing.store",
    "finer.ingest.rules is not allowed to import finer.kit.clock",
    "finer.identity.rules is not allowed to import sqlalchemy",
    "finer.identity.service is not allowed to import sqlalchemy",
    "finer.decisions.service is not allowed to import litestar",
    "finer.scoring.rules is not allowed to import finer.scoring.service",
    "finer.features.helpers",
    "finer.kit is not allowed to import finer.identity",
    "finer.facts is not allowed to import finer.decisions",
    "finer.insurance",
    "finer.app is not allowed to import psycopg",
    "finer.warehouse.types is not allowed to import pathlib",
)


def _draw(folder: Path, faults: Mapping[str, str]) -> None:
    files = dict.fromkeys(["finer/__init__.py", "finer/app/__init__.py", "finer/demo/__init__.py"], "")
    files |= dict.fromkeys(["finer/facts/__init__.py", "finer/kit/__init__.py"], "")
    files |= {f"finer/kit/{name}.py": "" for name in KIT}
    for domain in DOMAINS + LATER:
        files |= {f"finer/{domain}/{room}.py": "" for room in ("__init__", *ROOMS)}
    files["finer/app/api.py"] = "from finer.fraud import routes, service"
    files["finer/fraud/routes.py"] = "import litestar\nfrom finer.fraud import service"
    files["finer/fraud/store.py"] = "import sqlalchemy\nfrom finer.fraud import tables"
    files["finer/demo/world.py"] = "import httpx"
    files["finer/kit/outbound.py"] = "import httpcore"
    # A room that has outgrown one file is a package of the same name.
    del files["finer/decisions/store.py"]
    files |= {"finer/decisions/store/__init__.py": "", "finer/decisions/store/alerts.py": "import sqlalchemy"}
    for name, text in {**files, **faults}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _lint(folder: Path) -> tuple[int, str]:
    program = Path(sys.executable).parent / "lint-imports"
    command = [str(program), "--config", str(REPOSITORY / "pyproject.toml"), "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("faults")
    _draw(folder, FAULTS)
    code, said = _lint(folder)
    assert code == 1, said
    return said


def test_the_house_as_drawn_passes(tmp_path: Path) -> None:
    _draw(tmp_path, {})
    assert _lint(tmp_path)[0] == 0, _lint(tmp_path)[1]


@pytest.mark.parametrize("sentence", SAID)
def test_a_planted_import_is_found(sentence: str, found: str) -> None:
    assert sentence in found


def test_the_drawing_lists_the_domains_of_the_contract() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    plan = next(one for one in settings["tool"]["importlinter"]["contracts"] if one["id"] == "plan")
    assert set(plan["containers"]) <= {f"finer.{name}" for name in DOMAINS + LATER}


def test_the_real_house_passes() -> None:
    code, said = _lint(REPOSITORY)
    assert code == 0, said
