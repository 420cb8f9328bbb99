"""Parting a customer's records from the customer: the rows stay, and say no longer who it was.

Rows are not deleted, because amounts, counts and the windows of other people and merchants rest on them. For the same
reason an account that somebody else holds as well keeps its id in all its rows, and a device, payee or card that the
other has used with it: those are the other's records, too. Who of them it was, no row says any more. DuckLake
writes the changed rows to new files; the old files are rewritten without them, and the history that still shows them is
forgotten at once, so that only what the clean-up deletes within the hour holds the person any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from finer.kit.late import LateModule
from finer.warehouse.store.access import LakeAccess, unavailable
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.copies import forget_copies

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_CUSTOMER, _ACCOUNT = "customer_id", "account_id"
_PAYMENTS = "transactions"
Parted = dict[tuple[str, ...], list[tuple[str, ...]]]
"""Values that were parted from a customer, by the columns that name them together."""
PARTED = "erased-"
"""What the pseudonyms of parted customers begin with."""
PARTED_PAYMENTS = (
    f"select event_id from transactions where starts_with(account_id, '{PARTED}') "  # noqa: S608 - our own names
    "and event_id in (select unnest($events::varchar[]))"
)
"""Which of the payments `$events` (ids) no longer say whose they are."""
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def part_customer(
    access: LakeAccess,
    tenant: uuid.UUID,
    customer_id: str,
    salt: str,
    columns: Mapping[str, Mapping[str, str]],
    entities: Sequence[tuple[str, ...]] = (),
) -> tuple[dict[str, int], Parted]:
    """Rows changed by table. `columns` says by table what becomes of a column: `pseudonym` or `blank`.

    Also which of the `entities`, columns of payments that begin with the account, no payment names any more.

    Nothing is added to the lake meanwhile. Doing it again is right. Raises LakeUnavailable when the lake cannot be
    written to, or somebody else changes the same files at this moment; then doing it again goes on.
    """
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        if not catalogue.exists():
            return {}, {}
        # A merge that began before and ended after this would bring the old rows back.
        catalogue.work_alone()
        tables = {one.name: {column.name for column in one.columns} for one in catalogue.tables().values()}
        attachments = Attachments(access, capacity=1, memory_mb=1024, create=True)
        try:
            # Nobody adds rows until all is done: DuckLake refuses to change rows of what grows meanwhile, and whoever
            # rewrites files loses the race for the next snapshot against a writer that commits each second.
            with attachments.use(tenant) as lake, catalogue.rows_alone():
                db = attachments.duckdb
                # One commit, so that a try that fails leaves no table parted by a salt that is forgotten.
                db.begin()
                parted: Parted = {}
                changed = {
                    name: _part(db, lake, name, _wanted(columns[name], there), customer_id, salt, entities, parted)
                    for name, there in tables.items()
                    if name in columns and _CUSTOMER in there
                }
                db.commit()
                # Also when nothing was changed: a try before this may have come no further than that commit.
                for name in changed:
                    db.execute(f"call ducklake_rewrite_data_files('{lake}', '{name}', delete_threshold => 0)")
                _forget_history(db, catalogue, lake)
                forget_copies(access.settings, tenant, catalogue.every_file(access.address(tenant)), at_once=True)
        except duckdb.Error as error:
            raise unavailable("The lake could not be changed.", error) from error
        finally:
            attachments.close()
    return changed, parted


def _wanted(columns: Mapping[str, str], there: set[str]) -> dict[str, str]:
    return {name: what for name, what in columns.items() if name in there}


def _part(
    db: duckdb.DuckDBPyConnection, lake: str, table: str, columns: Mapping[str, str], customer_id: str, salt: str,
    entities: Sequence[tuple[str, ...]], parted: Parted,
) -> int:  # fmt: skip
    rows, arguments = f"{_CUSTOMER} = $customer", {"customer": customer_id}
    stays = dict.fromkeys(columns, "false")
    if _ACCOUNT in columns:
        named = [name for name, what in columns.items() if what == "pseudonym" and name != _CUSTOMER]
        _note_shared(db, lake, table, named, arguments)
        stays |= {name: f"({_ACCOUNT}, {name}) in (from shared_{name})" for name in named}
        # With the last of its holders an account goes, also where it had stayed for them.
        mine = f"select {_ACCOUNT} from {lake}.{table} where {_CUSTOMER} = $customer"  # noqa: S608 - our own names
        rows += f" or starts_with({_CUSTOMER}, '{PARTED}') and {_ACCOUNT} in ({mine})"
        for entity in [one for one in entities if table == _PAYMENTS and stays.keys() >= set(one)]:
            parted[entity] = db.execute(_goes(f"{lake}.{table}", rows, entity, stays), arguments).fetchall()
    changes = ", ".join(
        f"{name} = null"
        if what == "blank"
        else f"{name} = case when starts_with({name}, '{PARTED}') or {stays[name]} then {name} "
        f"else '{PARTED}' || left(sha256($salt || {name}), 20) end"
        for name, what in columns.items()
    )
    arguments |= {"salt": salt} if "$salt" in changes else {}
    done = db.execute(f"update {lake}.{table} set {changes} where {rows}", arguments)  # noqa: S608 - our own names
    row = done.fetchone()
    return int(row[0]) if row is not None else 0


def _goes(table: str, rows: str, entity: Sequence[str], stays: Mapping[str, str]) -> str:
    """SQL for the values of an entity's columns in some rows, of which at least one gets another name."""
    there = " and ".join(f"{name} is not null and not starts_with({name}, '{PARTED}')" for name in entity)
    changes = " or ".join(f"not ({stays[name]})" for name in entity)
    return f"select distinct {', '.join(entity)} from {table} where ({rows}) and {there} and ({changes})"  # noqa: S608 - our own names


def _note_shared(
    db: duckdb.DuckDBPyConnection, lake: str, table: str, columns: Sequence[str], arguments: Mapping[str, str]
) -> None:
    """Note by column what records of others say of the customer's accounts, too, in tables `shared_<column>`."""
    for name in columns:
        db.execute(
            f"create or replace temp table shared_{name} as select distinct {_ACCOUNT} as account, {name} as value "  # noqa: S608 - our own names
            f"from {lake}.{table} where {_CUSTOMER} <> $customer and not starts_with({_CUSTOMER}, '{PARTED}') "
            f"and {_ACCOUNT} in (select {_ACCOUNT} from {lake}.{table} where {_CUSTOMER} = $customer)",
            dict(arguments),
        )


def _forget_history(db: duckdb.DuckDBPyConnection, catalogue: Catalogue, lake: str) -> None:
    catalogue.carry_positions()
    # The newest snapshot is never in the list of the old ones.
    if old := catalogue.old_snapshots(_EVER, 100_000):
        db.execute(f"call ducklake_expire_snapshots('{lake}', versions => {old})")
