"""Writing the file of an export: the work of a run, between transactions that say how far it is."""

from __future__ import annotations

import time
import uuid

import structlog

from finer.identity.service.authorisation import masking_of
from finer.ingest.service import contracts
from finer.kit.actors import SYSTEM, Actor
from finer.kit.crypto.fields import blind
from finer.kit.db import Database
from finer.kit.errors import FinerError
from finer.kit.runs import Run, RunCancelled
from finer.warehouse.service import exports
from finer.warehouse.service.lake import LakeAccess
from finer.warehouse.service.shown import shown_to
from finer.warehouse.types import Export

_log = structlog.get_logger(__name__)
_NOTED_EVERY_S = 1.0


class _NotWanted(Exception):
    """Its owner cancelled the export, or it was taken back."""


def carry_out_export(database: Database, access: LakeAccess, tenant: uuid.UUID, identifier: uuid.UUID, run: Run) -> int:
    """Write the file of an export, tell who asked for it, and return its rows. Done again, it begins anew.

    What is wrong with an export is told to its owner, and is no failure of the run. Raises RunCancelled.
    """
    with database.transaction(tenant, SYSTEM) as tx:
        export = exports.begin_export(tx, identifier)
        secret = blind(tx, "warehouse.tokens", "")
    if export is None:
        return 0
    try:
        return _write(database, access, tenant, export, secret, run)
    except _NotWanted:
        return 0
    except RunCancelled:
        raise
    except Exception as error:  # noqa: BLE001 - whoever asked has to be told
        problem = error.detail if isinstance(error, FinerError) else "It failed in an unforeseen way. Ask again."
        run.note(problem)
        with database.transaction(tenant, SYSTEM) as tx:
            exports.fail_export(tx, identifier, problem)
        if not isinstance(error, FinerError):
            _log.exception("an export failed in an unforeseen way", export=str(identifier))
        return 0


def _write(database: Database, access: LakeAccess, tenant: uuid.UUID, export: Export, secret: bytes, run: Run) -> int:
    noted = 0.0

    def note(rows: int, total: int) -> None:
        nonlocal noted
        run.progress(rows, total)
        run.stop_if_cancelled()
        if time.monotonic() - noted >= _NOTED_EVERY_S:
            noted = time.monotonic()
            with database.transaction(tenant, SYSTEM) as tx:
                if not exports.note_export(tx, export.id, rows, total):
                    raise _NotWanted

    owner = Actor(kind="user", id=export.asked_by, name="", role=export.role)
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        shown = shown_to(masking_of(owner), contracts.load(tx))
    with exports.written(access, tenant, export) as file:
        rows = exports.write_export(secret, access, tenant, export.wanted, shown, file, note)
    with database.transaction(tenant, SYSTEM) as tx:
        wanted = exports.finish_export(tx, access, export.id, rows, file.size)
    if not wanted:
        exports.discard(access, tenant, export)
    return rows
