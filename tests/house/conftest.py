"""A small healthy house, and the means to plant a fault in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Plant = Callable[[Mapping[str, str]], Path]

HEALTHY = {
    "pyproject.toml": """
[[tool.importlinter.contracts]]
id = "plan"
containers = ["finer.fraud", "finer.ledger"]
""",
    "Makefile": "run: ## Start\n\ntest: ## Test\n",
    "README.md": "# House\n\n`make run` and `make test`. [More](docs/more.md)\n",
    "docs/more.md": "# More\n\nSee [the start](../README.md).\n",
    "web/package-lock.json": """
{"packages": {
  "": {"dependencies": {"a": "1"}},
  "node_modules/a": {"version": "1", "optionalDependencies": {"b": "2", "c": "3"}},
  "node_modules/a/node_modules/b": {"version": "2"},
  "node_modules/c": {"version": "3"}
}}
""",
    "web/src/page.tsx": "export const page = 1;\n",
    "migrations/versions/0001_ledger.py": 'op.execute("create table ledger_postings (tenant_id uuid not null)")\n',
    "src/finer/__init__.py": '"""Finer."""\n',
    "src/finer/kit/__init__.py": '"""Kit."""\n',
    "src/finer/kit/clock.py": "from datetime import UTC, datetime\n\n\ndef now():\n    return datetime.now(UTC)\n",
    "src/finer/facts/__init__.py": '"""Facts."""\n',
    "src/finer/facts/fraud.py": """

class AlertRaised(Fact, frozen=True):
    name = "fraud.alert_raised.v1"
""",
    "src/finer/app/__init__.py": '"""App."""\n',
    "src/finer/app/flow.py": "from finer.facts.fraud import AlertRaised\n\nFLOW = {AlertRaised: ()}\n",
    "src/finer/app/api.py": "from finer.fraud import routes\n",
    "src/finer/demo/__init__.py": '"""Demo."""\n',
    "src/finer/fraud/__init__.py": '"""Fraud."""\n',
    "src/finer/fraud/types.py": "class Verdict:\n    score: float\n    amount_minor: int\n",
    "src/finer/fraud/service.py": "from finer.ledger import service as ledger\n",
    "src/finer/fraud/tables.py": 'alerts = sa.Table("fraud_alerts", metadata, sa.Column("risk_minor", sa.Integer))\n',
    "src/finer/fraud/store.py": '"""Never reads ledger_postings."""\nSQL = "select * from fraud_alerts"\n',
    "src/finer/fraud/routes.py": (
        "from litestar import get\n\n\n@get('/', opt={'permission': 'alerts:read'})\ndef alerts():\n    return []\n"
    ),
    "src/finer/ledger/__init__.py": '"""Ledger."""\n',
    "src/finer/ledger/types.py": "class Posting:\n    amount_minor: int\n    usd_per_unit: float\n",
    "src/finer/ledger/service.py": "def post(tx):\n    return tx.now()\n",
    "src/finer/ledger/tables.py": (
        'postings = sa.Table("ledger_postings", metadata, sa.Column("amount_minor", sa.BigInteger))\n'
    ),
}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Build the healthy house with some files replaced or added; returns its root."""

    def build(faults: Mapping[str, str]) -> Path:
        for name, text in {**HEALTHY, **faults}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return build
