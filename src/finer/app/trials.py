"""A trial of a draft contract, as a job: the records of the lake and of the quarantine, step by step."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import msgspec
import structlog

from finer.ingest.service import drafts, trials
from finer.ingest.types.contracts import ContractVersion, DraftTrial
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.errors import FinerError, NotFound
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_TELL_EVERY_S = 1.0


def try_draft(
    database: Database, reader: warehouse.LakeReader, tenant: uuid.UUID, version: uuid.UUID, revision: int
) -> None:
    """Try a draft and keep what is found, also on the way. Ends early when the draft is another one meanwhile."""
    found: DraftTrial | None = None
    try:
        with database.transaction(tenant, SYSTEM, read_only=True) as tx:
            draft = drafts.get_version(tx, version)
            if draft.trial is None or draft.revision != revision:
                return
            found = draft.trial
            until = tx.now()
            begun = msgspec.structs.replace(found, expected=reader.count(tenant, draft.contract, found.since, until))
            run = trials.Run(tx, draft, begun)
        last = time.monotonic()
        for _ in _steps(database, reader, run, draft, tenant):
            found = run.findings()
            if time.monotonic() - last >= _TELL_EVERY_S:
                last = time.monotonic()
                if not _keep(database, tenant, version, found):
                    return
        found = msgspec.structs.replace(run.findings(), state="done", finished_at=database.clock.now())
        _keep(database, tenant, version, found)
    except NotFound:
        return  # the draft was discarded
    except FinerError as error:
        _log.warning("a trial of a contract failed", version=str(version), problem=error.detail)
        if found is not None:
            _keep(database, tenant, version, msgspec.structs.replace(found, state="failed", problem=error.detail))


def _steps(
    database: Database, reader: warehouse.LakeReader, run: trials.Run, draft: ContractVersion, tenant: uuid.UUID
) -> Iterator[None]:
    since = draft.trial.since if draft.trial is not None else database.clock.now()
    yield from run.accepted(reader.batches(tenant, draft.contract, since, database.clock.now()))
    before: uuid.UUID | None = None
    while True:
        with database.transaction(tenant, SYSTEM, read_only=True) as tx:
            before = run.quarantined(tx, before)
        yield
        if before is None:
            return


def _keep(database: Database, tenant: uuid.UUID, version: uuid.UUID, trial: DraftTrial) -> bool:
    with database.transaction(tenant, SYSTEM) as tx:
        return drafts.note_trial(tx, version, trial)
