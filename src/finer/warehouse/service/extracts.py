"""Extracts: copies of tables of the lake in a PostgreSQL that BI tools read, masked, refreshed by a job, taken back.

An extract is an export that goes on, so two people let it begin, whatever its size (docs/decisions/0024).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from finer.identity.service import proposals
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import masking_of
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.types.access import Role
from finer.identity.types.proposals import Change, Proposal
from finer.ingest.service import contracts
from finer.kit import runs
from finer.kit.actors import Actor
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass, Form, Masking
from finer.kit.runs import JobRun
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse.errors import BiUnavailable, ExtractNameTaken, ExtractNotAcceptable, ExtractNotFound
from finer.warehouse.service.shown import ShownTo, shown_to
from finer.warehouse.store import history
from finer.warehouse.store.access import LakeAccess
from finer.warehouse.store.bi_database import BiDatabase
from finer.warehouse.store.exporting import open_tables
from finer.warehouse.store.extracts import ExtractStore
from finer.warehouse.store.shown import expressions, shown_type
from finer.warehouse.types import BiAddress, ExportFormat, Extract, LakeTable, NewExtract, Wanted

PREFIX = "ext"
OPEN = "lake.extract"
"""The kind of proposal of a new extract."""
REFRESH_JOB = "refresh_extracts"
EXTRACTS_MAX = 50
TABLES_MAX = 50
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}\Z")
_SHOWN = {Form.ABSENT: 0, Form.PARTIAL: 1, Form.CLEAR: 2}


def list_extracts(tx: Tx) -> list[Extract]:
    """The extracts of the firm by name."""
    return ExtractStore(tx).find()


def get_extract(tx: Tx, identifier: uuid.UUID) -> Extract:
    """One extract. Raises ExtractNotFound."""
    found = ExtractStore(tx).find(identifier)
    if not found:
        raise ExtractNotFound(f"There is no extract {show_id(PREFIX, identifier)}.")
    return found[0]


def address(settings: Settings) -> BiAddress | None:
    """Where BI tools find the extracts; None when this installation has no BI database."""
    return _database(settings).address() if settings.bi_database_url else None


def left_open(settings: Settings) -> list[str]:
    """What the owner of the BI server should still take from its logins, as statements of SQL. Raises BiUnavailable."""
    return _database(settings).left_open()


def roles_to_show(tx: Tx) -> list[Role]:
    """The roles that an extract of the caller may be masked for: nobody hands out more than they see."""
    own = masking_of(tx.actor)
    return [role for role in Role if role is not Role.CUSTOMER and _within(masking_of(_acting(role)), own)]


def ask_for_extract(tx: Tx, access: LakeAccess, kinds: Kinds, wanted: NewExtract, reason: str) -> Proposal | None:
    """Propose an extract; None when it was made at once, where no second person is asked for.

    Raises BiUnavailable without a BI database, ExtractNotAcceptable, ExtractNameTaken, LakeEmpty for an unknown table,
    and NotAcceptable without a reason.
    """
    _database(access.settings)
    for table in wanted.tables:
        history.find_table(access, tx.tenant, table, None)
    payload = {"made_by": tx.actor.name, "role": tx.actor.role, **msgspec.to_builtins(wanted)}
    return proposals.act_or_propose(tx, access.settings, kinds, OPEN, payload, reason)


def opening_version(tx: Tx, payload: Payload) -> str:
    """What an opening starts from: that the name is free. Raises ExtractNotAcceptable, ExtractNameTaken."""
    wanted, problem, store = _read(payload), None, ExtractStore(tx)
    store.one_at_once()
    if not _NAME.match(wanted.name):
        problem = "A name has 2 to 40 small letters, digits and underscores, a letter first."
    elif not wanted.tables or len(wanted.tables) > TABLES_MAX or len(set(wanted.tables)) < len(wanted.tables):
        problem = f"Choose 1 to {TABLES_MAX} tables, each once."
    elif not 1 <= wanted.every_hours <= 168 or (wanted.days is not None and not 1 <= wanted.days <= 3660):
        problem = "It is refreshed every 1 to 168 hours, and holds the rows of 1 to 3660 days, or all."
    elif not _within(masking_of(_acting(Role(wanted.shown_as))), masking_of(_acting(Role(payload["role"])))):
        problem = "It would show more than whoever asks for it may see. Choose another role."
    elif len(store.find()) >= EXTRACTS_MAX:
        problem = f"There are {EXTRACTS_MAX} extracts already. Close one first."
    if problem is not None:
        raise ExtractNotAcceptable(problem)
    if store.find(name=wanted.name):
        raise ExtractNameTaken(f"There is an extract {wanted.name!r} already. Choose another name, or close that one.")
    return ""


def describe_opening(_tx: Tx, payload: Payload) -> list[Change]:
    """What a second person is asked to let happen."""
    wanted = _read(payload)
    rows = "all rows" if wanted.days is None else f"the rows of the last {wanted.days} days"
    return [
        Change("Tables that BI tools may read", "", f"{', '.join(wanted.tables)}: {rows}"),
        Change("Copied again", "", f"every {wanted.every_hours} h"),
        Change("Values", "", f"as the role {wanted.shown_as.replace('_', ' ')} sees them"),
    ]


def execute_opening(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Make the extract, and let a job fill it."""
    wanted, identifier = _read(payload), new_id()
    # Schemas of all firms stand in one database, where their names can be seen: they say nothing.
    login = f"bi_{uuid.uuid4().hex[:20]}"
    ExtractStore(tx).add(identifier, wanted, login, payload["made_by"])
    refresh(tx, identifier)
    return {"extract": show_id(PREFIX, identifier), "login": login}


def refresh(tx: Tx, identifier: uuid.UUID) -> JobRun | None:
    """Let a job copy its tables again, now. None when that is queued already. Raises ExtractNotFound."""
    found = get_extract(tx, identifier)
    asked = runs.start(tx, REFRESH_JOB, arguments={"extract": str(found.id)})
    record_audit(tx, "lake:extract_refresh", show_id(PREFIX, identifier), {"name": found.wanted.name})
    return None if asked is None else runs.get(tx, asked)


def refresh_all(tx: Tx) -> int:
    """Copy every extract of the firm again, because the lake has changed behind them; returns how many."""
    found = list_extracts(tx)
    for one in found:
        refresh(tx, one.id)
    return len(found)


def new_password(tx: Tx, settings: Settings, identifier: uuid.UUID) -> tuple[str, str, BiAddress]:
    """Login, another password, and where to use it. The password before ends, with its sessions.

    Raises ExtractNotFound, ExtractNotAcceptable before the first copy, and BiUnavailable.
    """
    found = get_extract(tx, identifier)
    if found.refreshed_at is None:
        raise ExtractNotAcceptable(found.problem or "Its tables are being copied. Ask again when they are there.")
    ExtractStore(tx).note(identifier, password_at=tx.now())
    record_audit(tx, "lake:extract_password", show_id(PREFIX, identifier), {"name": found.wanted.name})
    database = _database(settings)
    return found.login, database.set_password(found.login), database.address()


def close(tx: Tx, settings: Settings, identifier: uuid.UUID) -> None:
    """Take an extract back: its login, its sessions and its tables are gone. Raises ExtractNotFound, BiUnavailable."""
    found = get_extract(tx, identifier)
    ExtractStore(tx).remove(identifier)
    record_audit(tx, "lake:extract_close", show_id(PREFIX, identifier), {"name": found.wanted.name})
    _database(settings).drop(found.login)


def due(tx: Tx) -> list[Extract]:
    """The extracts that are to be copied now."""
    now = tx.now()
    return [
        one
        for one in list_extracts(tx)
        if one.refreshed_at is None or one.refreshed_at + timedelta(hours=one.wanted.every_hours) <= now
    ]


def shown_in(tx: Tx, extract: Extract) -> ShownTo:
    """How its tables are shown, by the contracts of now."""
    return shown_to(masking_of(_acting(Role(extract.wanted.shown_as))), contracts.load(tx))


def note_refresh(tx: Tx, identifier: uuid.UUID, rows: int | None, problem: str = "") -> bool:
    """Note how a refresh went; `rows` is None when it failed. False when the extract was closed meanwhile."""
    if rows is None:
        ExtractStore(tx).note(identifier, problem=problem)
    else:
        ExtractStore(tx).note(identifier, refreshed_at=tx.now(), rows=rows, problem="")
        record_audit(tx, "lake:extract_refreshed", show_id(PREFIX, identifier), {"rows": rows})
    return bool(ExtractStore(tx).find(identifier))


def copy(
    access: LakeAccess, extract: Extract, shown: ShownTo, secret: bytes, since: datetime | None, run: runs.Run
) -> int:
    """Copy the tables of an extract, all of one state of the lake, and show them at once; returns their rows.

    Raises BiUnavailable, LakeEmpty, LakeUnavailable, ExtractNotAcceptable or RunCancelled; then what was there stays.
    """
    database, rows_max, rows = _database(access.settings), access.settings.bi_rows_max, 0

    def expressions_of(table: LakeTable) -> Mapping[str, str]:
        return expressions([table], shown([table]), secret).get(table.name, {})

    def store(table: LakeTable, total: int, reader: pa.RecordBatchReader) -> int:
        if total > rows_max:
            raise ExtractNotAcceptable(
                f"{table.name} has {total:,} rows; a table of an extract may have {rows_max:,} "
                "(FINER_BI_ROWS_MAX). Take fewer days."
            )
        forms = shown([table]).get(table.name, {})
        kinds = [
            (column.name, shown_type(column, forms[column.name]) if column.name in forms else column.type)
            for column in table.columns
        ]

        def note(copied: int) -> None:
            run.progress(rows + copied, rows + total)
            run.stop_if_cancelled()

        return database.load(extract.login, table.name, kinds, reader, note)

    database.make_login(extract.login)
    database.clear(extract.login)
    with open_tables(access, run.tenant, None) as read:
        for name in extract.wanted.tables:
            rows += read(Wanted(table=name, format=ExportFormat.PARQUET, since=since), expressions_of, store)
    database.show(extract.login)
    return rows


def discard(settings: Settings, extract: Extract) -> None:
    """Drop what was copied for an extract that was closed meanwhile. Raises BiUnavailable."""
    _database(settings).drop(extract.login)


def _database(settings: Settings) -> BiDatabase:
    if not settings.bi_database_url:
        raise BiUnavailable(
            "This installation has no BI database. Its operator names one in FINER_BI_DATABASE_URL; "
            "docs/how-to/bi-tools.md says how."
        )
    return BiDatabase(settings.bi_database_url)


def _read(payload: Payload) -> NewExtract:
    plain = {name: value for name, value in payload.items() if name not in ("made_by", "role")}
    return msgspec.convert(plain, NewExtract)


def _acting(role: Role) -> Actor:
    return Actor(kind="user", id="", name="", role=role.value)


def _within(asked: Masking, own: Masking) -> bool:
    return all(_SHOWN[asked.form(one)] <= _SHOWN[own.form(one)] for one in DataClass)
