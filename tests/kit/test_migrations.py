"""What the code says of the tables and what the migrations make of them is the same."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import finer
from finer.kit.db import metadata
from finer.kit.migration import drift, migrate, migrations_folder, pending


@pytest.fixture
def owner(database_url: str) -> Iterator[sa.Connection]:
    """A connection as the owner of everything; what it changes is rolled back."""
    source = Path(finer.__path__[0])
    for tables in sorted([*source.glob("*/tables.py"), *source.glob("*/tables/*.py")]):
        importlib.import_module(".".join(("finer", *tables.relative_to(source).with_suffix("").parts)))
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_migrated_and_described_tables_agree(owner: sa.Connection) -> None:
    assert len(metadata.tables) > 15
    assert drift(owner) == []


def test_nothing_is_pending_after_migrating_and_again_changes_nothing(owner: sa.Connection, database_url: str) -> None:
    assert pending(owner) == []
    owner.rollback()
    migrate(database_url)
    assert pending(owner) == []


@pytest.mark.parametrize(
    ("planted", "names"),
    [
        ("alter table ledger_exchange_rates add column planted int", "planted"),
        ("alter table ledger_exchange_rates drop column usd_per_unit", "usd_per_unit"),
        ("alter table ledger_exchange_rates alter column currency type bigint using 0", "currency"),
        ("alter table decisions_alerts alter column event_id drop not null", "event_id"),
        ("drop index ix_decisions_alerts_event", "ix_decisions_alerts_event"),
        ("create table planted_table (id int)", "planted_table"),
        ("drop table ledger_exchange_rates", "ledger_exchange_rates"),
    ],
)
def test_a_planted_drift_is_noticed(owner: sa.Connection, planted: str, names: str) -> None:
    owner.exec_driver_sql(planted)
    found = drift(owner)
    assert len(found) == 1
    assert names in found[0]


def test_what_the_database_has_not_seen_is_pending_oldest_first(owner: sa.Connection) -> None:
    # Each names the one before it. Numbers were given out before it was known which would land first.
    found = list(migrations_folder().glob("versions/0*.py"))
    named = (re.search(r'^down_revision.*?= (?:"(\w+)"|None)$', path.read_text(), re.MULTILINE) for path in found)
    after = {one and one[1]: path.stem for one, path in zip(named, found, strict=True)}
    files = [after[None]]
    while files[-1] in after:
        files.append(after[files[-1]])
    assert len(files) == len(found)
    owner.exec_driver_sql(f"update alembic_version set version_num = '{files[-3]}'")
    assert pending(owner) == files[-2:]
    owner.exec_driver_sql("delete from alembic_version")
    assert pending(owner) == files
