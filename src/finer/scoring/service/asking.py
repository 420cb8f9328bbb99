"""Asking for models to be learnt and looked at, as jobs, and how far the learning is."""

from __future__ import annotations

import uuid

import msgspec

from finer.identity.service.audit import record_audit
from finer.kit import runs
from finer.kit.ids import show_id
from finer.kit.runs import JobRun, RunFilter
from finer.kit.tx import Tx
from finer.scoring.errors import ModelChanged, TrainingUnderWay
from finer.scoring.store import ModelStore
from finer.scoring.types import TrainingPlan

__all__ = [
    "TRAIN_JOB",
    "WATCH_JOB",
    "begin_training",
    "begin_watch",
    "last_training",
    "refuse_second",
    "stop_training",
]

TRAIN_JOB, WATCH_JOB = "train_model", "watch_models"


def begin_training(tx: Tx, plan: TrainingPlan, name: str, note: str) -> uuid.UUID:
    """Ask for a model to be learnt, as a job; the run.

    Raises TrainingUnderWay while another one that somebody asked for has not ended: each takes much of the machine, and
    the page shows one. It waits behind one that is learnt on schedule.
    """
    _alone(tx)
    arguments = {"plan": msgspec.to_builtins(plan), "name": name.strip(), "note": note.strip(), "owner": tx.actor.id}
    run = runs.start(tx, TRAIN_JOB, arguments=arguments)
    if run is None:
        raise RuntimeError("A run that somebody asks for has no due time, so that none can be there already.")
    record_audit(tx, "models:train", show_id("run", run), {"plan": arguments["plan"], "name": arguments["name"]})
    return run


def refuse_second(tx: Tx, old: JobRun) -> None:
    """Raise TrainingUnderWay when a learning that somebody asked for is to be repeated while another has not ended."""
    if old.arguments:
        _alone(tx)


def _alone(tx: Tx) -> None:
    ModelStore(tx).lock()
    under_way = [one for one in runs.under_way(tx) if one.job == TRAIN_JOB and one.arguments]
    if under_way:
        raise TrainingUnderWay(
            f"A model is being learnt already ({show_id('run', under_way[0].id)}, asked for by "
            f"{under_way[0].asked_by}). Wait until it is there, or stop it, and ask again."
        )


def begin_watch(tx: Tx) -> uuid.UUID | None:
    """Ask the monitors to look now, and champion and challenger to be compared; None when they are about to."""
    return runs.start(tx, WATCH_JOB)


def last_training(tx: Tx) -> JobRun | None:
    """The learning that was asked for last by somebody, under way or ended; None when there was none."""
    asked = runs.page(tx, RunFilter(job=TRAIN_JOB), 20)
    return next((one for one in asked if one.arguments), None)


def stop_training(tx: Tx) -> JobRun:
    """Stop the learning that is under way: at once, or when the job next looks. Raises ModelChanged without one."""
    found = last_training(tx)
    stopped = None if found is None else runs.ask_to_stop(tx, found.id)
    if stopped is None:
        raise ModelChanged("No model is being learnt now.")
    record_audit(tx, "models:stop-training", show_id("run", stopped.id), {})
    return stopped
