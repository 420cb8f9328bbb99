"""Turns: transactions that count before they add, one after another, so that each counts what the last one added."""

from __future__ import annotations

import sqlalchemy as sa


def one_at_once(connection: sa.Connection, *words: object) -> None:
    """Wait until no other transaction has the turn of these words, and let others wait until this one ends.

    Two requests of one moment would both find room for one more, or a name that nobody has. The words name the firm.
    """
    key = sa.func.hashtextextended(":".join(map(str, words)), 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
