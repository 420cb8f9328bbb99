"""Pricing rules, as a job: the payments of the lake part by part, with progress, and stopped when nobody waits."""

from __future__ import annotations

import time
import uuid

import msgspec
import structlog

from finer.app.job_types import Ground
from finer.fraud.service import rules, verdicts
from finer.fraud.service.pricing import Backtest
from finer.fraud.types import Price, RuleVersion
from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.runs import Counts, Run, RunCancelled
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_TELL_EVERY_S, _TELL_SPACING = 1.0, 20
_ROWS = 65_536
_MEMORY_MB = 1_024


def price_rule(ground: Ground, run: Run) -> Counts:
    """Price the versions of rules that a run names, all in one reading of the lake."""
    if "versions" not in run.arguments:
        return {"payments": 0}  # started by hand: a price is asked for on the page of the rule
    reader = warehouse.LakeReader(ground.url, ground.settings, memory_mb=_MEMORY_MB)
    try:
        return _price(ground, run, reader, [(uuid.UUID(one), revision) for one, revision in run.arguments["versions"]])
    finally:
        reader.close()


def _price(ground: Ground, run: Run, reader: warehouse.LakeReader, wanted: list[tuple[uuid.UUID, int]]) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        versions = rules.being_priced(tx, wanted, show_id("run", run.id))
        begun = [one.price for one in versions if one.price is not None]
        if not begun:
            return {"payments": 0}  # other texts by now
        try:
            model = verdicts.model_in_force(tx)
            zone = tenants.get_tenant(tx).timezone
            test = Backtest(tx, versions, zone, None if model is None else model.threshold, time.thread_time)
        except FinerError as error:
            found = [msgspec.structs.replace(one, state="failed", problem=error.detail) for one in begun]
            test = None
    if test is None:
        _keep(ground, run, versions, found)
        return {"payments": 0}
    try:
        found = _walk(ground, run, reader, versions, test)
    except RunCancelled:
        _keep(ground, run, versions, [msgspec.structs.replace(one, state="cancelled") for one in test.found()])
        raise
    _keep(ground, run, versions, found)
    return {"payments": found[0].events, "hits": sum(one.hits for one in found), "rules": len(found)}


def _walk(
    ground: Ground, run: Run, reader: warehouse.LakeReader, versions: list[RuleVersion], test: Backtest
) -> list[Price]:
    parts, tell_at = test.parts(test.found()[0]), time.monotonic() + _TELL_EVERY_S
    query = test.query(labelled=any(table.name == "labels" for table in reader.tables(run.tenant)))
    for number, arguments in enumerate(parts):
        run.progress(number, len(parts))
        try:
            for batch in reader.stream(run.tenant, query, arguments, _ROWS):
                run.stop_if_cancelled()
                test.add(batch)
                if time.monotonic() >= tell_at:
                    began = time.monotonic()
                    if not _keep(ground, run, versions, test.found()):
                        raise RunCancelled(run.job)
                    ended = time.monotonic()
                    # Telling costs as much as some batches when many rules are priced; most of the time is for those.
                    tell_at = ended + max(_TELL_EVERY_S, _TELL_SPACING * (ended - began))
        except LakeEmpty:
            _log.info("there is nothing in the lake to price a rule on", tenant=str(run.tenant))
            break
    run.progress(len(parts), len(parts))
    return [msgspec.structs.replace(one, state="done") for one in test.found()]


def _keep(ground: Ground, run: Run, versions: list[RuleVersion], prices: list[Price]) -> bool:
    """Keep what was found; False when nobody waits for any of it."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        awaited = [rules.note_price(tx, one.id, price) for one, price in zip(versions, prices, strict=True)]
    return any(awaited)
