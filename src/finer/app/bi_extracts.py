"""Copying extracts to the BI database: the work of a run, between transactions that say how far it is."""

from __future__ import annotations

from datetime import timedelta

from finer.app.job_types import Ground
from finer.kit.actors import SYSTEM
from finer.kit.crypto.fields import blind
from finer.kit.errors import FinerError
from finer.kit.runs import Counts, Run
from finer.warehouse.service import extracts
from finer.warehouse.types import Extract


def refresh_extracts(ground: Ground, run: Run) -> Counts:
    """Copy the extract that the run names, or every one that is due; what fails is told at the extract.

    Raises ExtractsFailed when any failed, so that the run is tried again.
    """
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        named = run.arguments.get("extract")
        wanted = [one for one in extracts.list_extracts(tx) if str(one.id) == named] if named else extracts.due(tx)
    copied = failed = rows = 0
    for one in wanted:
        try:
            rows += _copy(ground, run, one)
            copied += 1
        except FinerError as error:
            failed += 1
            run.note(f"{one.wanted.name}: {error.detail}")
            with ground.database.transaction(run.tenant, SYSTEM) as tx:
                extracts.note_refresh(tx, one.id, None, error.detail)
    if failed:
        raise ExtractsFailed(f"{failed} of {len(wanted)} extracts were not copied. The page Lake says why.")
    return {"extracts": copied, "rows": rows}


class ExtractsFailed(FinerError):
    """Some extracts were not copied."""

    slug = "extracts-failed"


def _copy(ground: Ground, run: Run, extract: Extract) -> int:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        shown, secret = extracts.shown_in(tx, extract), blind(tx, "warehouse.tokens", "")
        since = None if extract.wanted.days is None else tx.now() - timedelta(days=extract.wanted.days)
    rows = extracts.copy(ground.lake(), extract, shown, secret, since, run)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        kept = extracts.note_refresh(tx, extract.id, rows)
    if not kept:
        extracts.discard(ground.settings, extract)
    return rows
