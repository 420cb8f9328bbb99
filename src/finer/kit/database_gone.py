"""A database that is not there: how its errors are told from others, and what callers are told."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from finer.kit.errors import Unavailable

_NOT_THERE = ("08", "53", "57P")
"""Beginnings of the SQLSTATEs by which a server says that it cannot serve now: no connection, no means, going down."""


class DatabaseGone(Unavailable):
    """The database cannot be reached, or serves nobody, at this moment."""

    def __init__(self) -> None:
        again = (
            "Send the same again in a few seconds: a record counts once, and so does a request with an Idempotency-Key."
        )
        super().__init__(f"The database does not answer at this moment. {again}", retry_after_s=5)


def not_there(error: BaseException) -> bool:
    """Whether an error means that the database cannot be reached, or cannot serve anybody now."""
    if isinstance(error, sa.exc.DisconnectionError | psycopg.InterfaceError):
        return True
    origin: Any = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(origin, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    code = origin.sqlstate
    return code is None or code.startswith(_NOT_THERE)
