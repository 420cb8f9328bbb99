"""Alembic's entry: runs the migrations of versions/ as the database's owner, each with a short lock timeout."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from alembic import context

from finer.kit.db import metadata


def run() -> None:
    """Run every pending migration, each in its own transaction."""
    url: str = context.config.attributes["url"]
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    try:
        with engine.connect() as connection:
            # A migration that waits behind a long query would make everything queue behind itself: better to fail.
            connection.exec_driver_sql("set lock_timeout = '5s'")
            connection.commit()
            context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
