"""Which rows a caller may reach: one value, asked of one row in Python and of a whole table in SQL.

A reach is a disjunction of conjunctions over two columns, who owns a row and which team it belongs to. `covers` reads
it for one row, `finer.kit.reach_sql.condition` writes the same terms as a WHERE clause; a test proves the two equal on
PostgreSQL over random rows.
"""

from __future__ import annotations

import uuid

import msgspec


class Term(msgspec.Struct, frozen=True):
    """One condition on a column, `owner` or `team`: its value is one of `values`, or it is empty when that is None."""

    column: str
    values: frozenset[uuid.UUID] | None

    def holds(self, value: uuid.UUID | None) -> bool:
        """Whether it holds for the value of its column."""
        return value is None if self.values is None else value in self.values


class Reach(msgspec.Struct, frozen=True):
    """Rows for which all terms of at least one alternative hold. An alternative without terms holds for every row."""

    alternatives: tuple[tuple[Term, ...], ...]

    def covers(self, *, owner: uuid.UUID | None, team: uuid.UUID | None) -> bool:
        """Whether a row of this owner and this team is within reach."""
        row = {"owner": owner, "team": team}
        return any(all(term.holds(row[term.column]) for term in terms) for terms in self.alternatives)


EVERYTHING = Reach(((),))
"""Every row of the tenant."""
NOTHING = Reach(())
"""No row at all."""


def owned_by(person: uuid.UUID) -> Reach:
    """Rows of which this person is the owner."""
    return Reach(((Term("owner", frozenset({person})),),))


def owned_or_shared(person: uuid.UUID, teams: frozenset[uuid.UUID]) -> Reach:
    """Rows of this person, rows of these teams, and rows that nobody has taken yet: the queue that all work from."""
    mine = (Term("owner", frozenset({person})),)
    ours = (Term("team", teams),)
    untaken = (Term("owner", None), Term("team", None))
    return Reach((mine, ours, untaken) if teams else (mine, untaken))
