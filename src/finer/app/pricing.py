"""Pricing a rule, as a job: the payments of the lake part by part, with progress, and stopped when nobody waits."""

from __future__ import annotations

import time
import uuid

import msgspec
import structlog

from finer.app.job_types import Ground
from finer.fraud.service import rules, verdicts
from finer.fraud.service.pricing import Backtest
from finer.fraud.types import Price
from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.errors import FinerError
from finer.kit.runs import Counts, Run, RunCancelled
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_TELL_EVERY_S = 1.0


def price_rule(ground: Ground, run: Run) -> Counts:
    """Price the version of a rule that a run names."""
    if "version" not in run.arguments:
        return {"payments": 0}  # started by hand: a price is asked for on the page of the rule
    reader = warehouse.LakeReader(ground.url, ground.settings, threads=1)
    try:
        return _price(ground, run, reader, uuid.UUID(run.arguments["version"]))
    finally:
        reader.close()


def _price(ground: Ground, run: Run, reader: warehouse.LakeReader, identifier: uuid.UUID) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        version = rules.get_version(tx, identifier)
        begun = version.price
        if begun is None or begun.revision != run.arguments["revision"]:
            return {"payments": 0}  # another text by now
        try:
            model = verdicts.model_in_force(tx)
            zone = tenants.get_tenant(tx).timezone
            test = Backtest(tx, version, begun, zone, None if model is None else model.threshold, time.perf_counter)
        except FinerError as error:
            found = msgspec.structs.replace(begun, state="failed", problem=error.detail)
            test = None
    if test is None:
        _keep(ground, run, identifier, found)
        return {"payments": 0}
    try:
        found = _walk(ground, run, reader, identifier, begun, test)
    except RunCancelled:
        _keep(ground, run, identifier, msgspec.structs.replace(test.found(), state="cancelled"))
        raise
    _keep(ground, run, identifier, found)
    return {"payments": found.events, "hits": found.hits}


def _walk(
    ground: Ground, run: Run, reader: warehouse.LakeReader, identifier: uuid.UUID, begun: Price, test: Backtest
) -> Price:
    parts, told = test.parts(begun), time.monotonic()
    query = test.query(labelled=any(table.name == "labels" for table in reader.tables(run.tenant)))
    for number, arguments in enumerate(parts):
        run.progress(number, len(parts))
        try:
            for batch in reader.stream(run.tenant, query, arguments):
                run.stop_if_cancelled()
                test.add(batch)
                if time.monotonic() - told >= _TELL_EVERY_S:
                    told = time.monotonic()
                    if not _keep(ground, run, identifier, test.found()):
                        raise RunCancelled(run.job)
        except LakeEmpty:
            _log.info("there is nothing in the lake to price a rule on", tenant=str(run.tenant))
            break
    run.progress(len(parts), len(parts))
    return msgspec.structs.replace(test.found(), state="done")


def _keep(ground: Ground, run: Run, identifier: uuid.UUID, price: Price) -> bool:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return rules.note_price(tx, identifier, price)
