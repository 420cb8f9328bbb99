"""A reach as a WHERE clause. Stores use it; `Reach.covers` is the same question asked of one row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from finer.kit.reach import Reach, Term


def condition(
    reach: Reach, *, owner: sa.ColumnElement[Any], team: sa.ColumnElement[Any] | None = None
) -> sa.ColumnElement[bool]:
    """The rows within reach. A table without teams has rows of no team."""
    columns = {"owner": owner, "team": sa.null() if team is None else team}
    return sa.or_(
        sa.false(),
        *(sa.and_(sa.true(), *(_term(term, columns[term.column]) for term in terms)) for terms in reach.alternatives),
    )


def _term(term: Term, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    # An empty column is in no list: NULL would make the clause neither true nor false, and a `not` around it wrong.
    return column.is_(None) if term.values is None else sa.and_(column.is_not(None), column.in_(term.values))
