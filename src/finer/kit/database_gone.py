"""A database that is not there: how its errors are told from others, and what callers are told."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from finer.kit.errors import Unavailable

_NOT_THERE = ("08", "53", "57P")
"""Beginnings of the SQLSTATEs by which a server says that it cannot serve now: no connection, no means, going down."""
ENDED = ("25P03", "25P04")
"""The SQLSTATEs by which it ends a connection whose transaction stood still, since this process or machine did."""


class DatabaseGone(Unavailable):
    """The database cannot be reached, or serves nobody, at this moment."""

    slug = "database-gone"
    title = "The database does not answer"

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
    code = getattr(origin, "sqlstate", None)
    if not isinstance(origin, psycopg.OperationalError | psycopg.InterfaceError):
        return code in ENDED
    return code is None or code.startswith(_NOT_THERE)
