"""The SQL of acts on quarantined records: who did what to how many of them, and how far it has come."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.ingest.store.quarantine import chosen
from finer.ingest.tables import quarantine_acts
from finer.ingest.types.quarantine import Act, Selection
from finer.kit.tx import Tx

_FORGET_AFTER = "400 days"
_SORTING = "set local enable_sort = {}"


class ActStore:
    """Acts of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add(self, act: Act) -> None:
        """A new act."""
        values = msgspec.to_builtins(act, builtin_types=(uuid.UUID,))
        values |= {"created_at": act.created_at, "finished_at": act.finished_at}
        values |= {"selection": msgspec.to_builtins(act.selection)}
        values |= {"tenant_id": self._tenant}
        self._connection.execute(quarantine_acts.insert(), values)

    def save(self, act: Act) -> None:
        """How far an act has come. Whether it is cancelled is left as it is in the database."""
        table = quarantine_acts.c
        self._connection.execute(
            quarantine_acts.update()
            .where(table.tenant_id == self._tenant, table.id == act.id)
            .values(
                state=act.state, matched=act.matched, done=act.done, changed=act.changed, failed=act.failed,
                cursor=act.cursor, error=act.error, finished_at=act.finished_at,
            )
        )  # fmt: skip

    def reopen(self, identifier: uuid.UUID) -> None:
        """Let an act that has ended go on."""
        table = quarantine_acts.c
        mine = (table.tenant_id == self._tenant, table.id == identifier)
        running = {"state": "running", "cancelled": False, "error": "", "finished_at": None}
        self._connection.execute(quarantine_acts.update().where(*mine).values(running))

    def cancel(self, identifier: uuid.UUID) -> None:
        """Ask an act to stop after the records that it is at."""
        table = quarantine_acts.c
        mine = (table.tenant_id == self._tenant, table.id == identifier, table.state == "running")
        self._connection.execute(quarantine_acts.update().where(*mine).values(cancelled=True))

    def act(self, identifier: uuid.UUID, *, lock: bool = False) -> Act | None:
        """One act; with `lock` nobody else carries it on until this transaction ends."""
        table = quarantine_acts.c
        query = sa.select(quarantine_acts).where(table.tenant_id == self._tenant, table.id == identifier)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        return None if row is None else _act(row)

    def acts(self, before: uuid.UUID | None, limit: int) -> list[Act]:
        """Acts, newest first."""
        table = quarantine_acts.c
        query = sa.select(quarantine_acts).where(table.tenant_id == self._tenant)
        if before is not None:
            query = query.where(table.id < before)
        return [_act(row) for row in self._connection.execute(query.order_by(table.id.desc()).limit(limit))]

    def step_end(
        self, wanted: Selection, after: uuid.UUID | None, last: uuid.UUID, limit: int, bytes_max: int
    ) -> uuid.UUID | None:
        """The id up to which the next records reach that fit, at most `limit` of them, fewer where they are large.

        None when none are left up to `last`.
        """
        condition, arguments = chosen(wanted)
        bounds = {"after": after or uuid.UUID(int=0), "last": last, "limit": limit, "bytes": bytes_max}
        given = {"tenant": self._tenant, **bounds, **arguments}
        next_ones = (
            f"select q.id, q.raw_bytes from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {condition} "  # noqa: S608 - conditions of ours
            "and q.id > %(after)s and q.id <= %(last)s order by q.id limit %(limit)s"
        )
        # The rows are read in the order of the key and not sorted: the server takes a table that grew by a million rows
        # for small until it has counted it, and would read and sort all that are left, for each step anew.
        self._connection.exec_driver_sql(_SORTING.format("off"))
        # Mostly all of them are small enough; to add up one by one costs twice as much as to add up at once.
        end, size = self._connection.exec_driver_sql(
            f"select (array_agg(id order by id))[count(*)], sum(raw_bytes) from ({next_ones}) as next",  # noqa: S608
            given,
        ).one()
        self._connection.exec_driver_sql(_SORTING.format("on"))
        if end is None or size <= bytes_max:
            return end  # type: ignore[no-any-return]
        # Before the first record of all nothing is too large.
        found = self._connection.exec_driver_sql(
            f"""select id from (
              select id, row_number() over w as place, sum(raw_bytes) over w as size from ({next_ones}) as next
              window w as (order by id rows unbounded preceding)) as steps
            where place = 1 or size <= %(bytes)s order by id desc limit 1""",  # noqa: S608 - conditions of ours
            given,
        )
        return found.scalar_one_or_none()

    def locked(self, wanted: Selection, after: uuid.UUID | None, until: uuid.UUID) -> list[uuid.UUID]:
        """The ids behind `after` up to `until` of records that fit, in order; nobody else changes these now."""
        condition, arguments = chosen(wanted)
        rows = self._connection.exec_driver_sql(
            f"select q.id from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {condition} "  # noqa: S608 - conditions of ours
            "and q.id > %(after)s and q.id <= %(upto)s order by q.id for update",
            {"tenant": self._tenant, "after": after or uuid.UUID(int=0), "upto": until, **arguments},
        )
        return list(rows.scalars())

    def lock(self, wanted: Selection, after: uuid.UUID | None, until: uuid.UUID) -> None:
        """Let nobody else change the records behind `after` up to `until` that fit.

        Whoever reads what they hold asks for them first, and reads by a statement of its own: one that waits for a lock
        goes on with the new row of the table that is locked, and with the old rows of those that are joined to it.
        """
        condition, arguments = chosen(wanted)
        self._connection.exec_driver_sql(
            "select count(*) from (select from ingest_quarantined_records as q where q.tenant_id = %(tenant)s "  # noqa: S608 - conditions of ours
            f"{condition} and q.id > %(after)s and q.id <= %(upto)s order by q.id for update) as locked",
            {"tenant": self._tenant, "after": after or uuid.UUID(int=0), "upto": until, **arguments},
        )

    def blank(self, wanted: re.Pattern[bytes]) -> None:
        """Empty the expressions and reasons in which this is found."""
        said = self._connection.exec_driver_sql(
            "select id, concat_ws(e'\\n', assignments, selection, reason) from ingest_quarantine_acts "
            "where tenant_id = %s",
            (self._tenant,),
        )
        self._connection.exec_driver_sql(
            "update ingest_quarantine_acts set assignments = '[]', selection = '{}', reason = '' where tenant_id = %s "
            "and id = any(%s)",
            (self._tenant, [row[0] for row in said if wanted.search(row[1].encode())]),
        )

    def forget(self) -> None:
        """Delete acts that no record knows any more."""
        self._connection.exec_driver_sql(
            "delete from ingest_quarantine_acts where tenant_id = %s and created_at < now() - %s::interval",
            (self._tenant, _FORGET_AFTER),
        )


def _act(row: Any) -> Act:
    fields = {field: row._mapping[field] for field in Act.__struct_fields__}
    fields["selection"] = msgspec.convert(row.selection, Selection)
    fields["assignments"] = [(target, expression) for target, expression in row.assignments]
    return Act(**fields)
