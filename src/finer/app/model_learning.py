"""Models as jobs: learnt from the lake, compared on live payments, watched. Imports what trains; see `scheduled`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pyarrow as pa

from finer.app.job_types import Ground
from finer.fraud.errors import NothingToLearnFrom
from finer.fraud.service import learning as fraud_learning
from finer.fraud.service import verdicts as fraud
from finer.identity.service import tenants
from finer.identity.types.access import Permission
from finer.kit.actors import SYSTEM
from finer.kit.ids import show_id
from finer.kit.runs import Counts, Run
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.scoring.service import learning, models, monitors
from finer.scoring.types import Model, ModelState, TrainingPlan, Watch
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeColumn

RETRAIN_AFTER = timedelta(days=7)
COMPARED = timedelta(days=90)
WATCHED = tuple(timedelta(days=days) for days in (1, 7, 28))
"""Whole days, since other hours have other payments; more of them where one day has too few."""
_WATCHED_ROWS = 200_000
CALIBRATED = timedelta(days=28)
_THREADS = 1


def train_model(ground: Ground, run: Run) -> Counts:
    """Learn a model by the plan that a run names, or by that of the last one when it is due again."""
    found = _plan(ground, run)
    if found is None:
        return {"payments": 0}
    plan, owner = found
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        zone, now = tenants.get_tenant(tx).timezone, tx.now()
    since, until = learning.reach(plan, now)
    with _reader(ground) as reader:
        profile = [column.name for column in _columns(reader, run, "customer_profiles")]
        labelled = bool(_columns(reader, run, "labels"))
        query = fraud_learning.training_query(zone, labelled=labelled, profile=profile)
        arguments = {"since": since, "until": until, "as_of": now}
        try:
            history = fraud_learning.gather(_watched(run, reader.stream(run.tenant, query, arguments)), plan.delay_days)
        except LakeEmpty:
            run.note("The lake holds no payment yet.")
            return {"payments": 0}
    rows, frauds = len(history.times), int(history.table.labels.sum())
    run.note(f"{rows:,} payments of {since:%Y-%m-%d} to {until:%Y-%m-%d}, {frauds:,} known frauds among them.")

    def tell(done: int, of: int) -> None:
        run.progress(done, of)
        run.stop_if_cancelled()

    made = learning.make(history, plan, now, time.perf_counter, tell)
    # Asked once more whatever the time: whoever stopped it in the last second wants no model either.
    run.flush()
    run.stop_if_cancelled()
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        model = models.register_model(
            tx, name=str(run.arguments.get("name") or f"Learnt {now:%Y-%m-%d}"), product=fraud.PRODUCT, text=made.text,
            known=fraud.model_columns(), threshold=made.threshold, card=made.card,
            note=str(run.arguments.get("note", "")), plan=plan, owner=owner,
        )  # fmt: skip
        if models.challenger(tx, fraud.PRODUCT) is None and not run.arguments:
            # Nobody waits for a model that was learnt on schedule, so it is tried beside the champion by itself.
            models.to_shadow(tx, model.id)
        _tell_of(tx, model)
    run.note(f"Version {model.version} is there: {_figures(model)}")
    return {"payments": rows, "frauds": frauds, "version": model.version}


def _plan(ground: Ground, run: Run) -> tuple[TrainingPlan, str] | None:
    """How to learn, and whose model it is."""
    if "plan" in run.arguments:
        return msgspec.convert(run.arguments["plan"], TrainingPlan), str(run.arguments.get("owner", ""))
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        known = [one for one in models.list_models(tx, fraud.PRODUCT) if one.plan is not None]
        if not known:
            run.note("No model was learnt here yet. Begin on the page Models; from then on it is learnt again weekly.")
            return None
        if known[0].registered_at > tx.now() - RETRAIN_AFTER:
            run.note(f"Version {known[0].version} was learnt less than a week ago.")
            return None
        last = known[0]
    return None if last.plan is None else (last.plan, last.owner)


def watch_models(ground: Ground, run: Run) -> Counts:
    """Look whether models see what they learnt from, hit as they say, and how the challenger does."""
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        altered = monitors.altered(tx)
        live = [
            one
            for one in models.list_models(tx, fraud.PRODUCT)
            if one.state in (ModelState.CHAMPION, ModelState.CHALLENGER)
        ]
        zone = tenants.get_tenant(tx).timezone
    champion = next((one for one in live if one.state is ModelState.CHAMPION), None)
    challenger = next((one for one in live if one.state is ModelState.CHALLENGER), None)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        monitors.tell_of_altered(tx, altered)
    if champion is None:
        return {"models": 0}
    with _reader(ground) as reader:
        if champion.card is not None:
            seen = _watch(ground, run, reader, champion, zone)
            with ground.database.transaction(run.tenant, SYSTEM) as tx:
                monitors.keep(tx, champion, seen)
        if challenger is not None:
            _compare(ground, run, reader, champion, challenger, zone)
    return {"models": len(live)}


def _watch(ground: Ground, run: Run, reader: warehouse.LakeReader, model: Model, zone: str) -> Watch:
    now = ground.database.clock.now()
    query = fraud_learning.scored_query(zone, labelled=bool(_columns(reader, run, "labels")), beside=False)
    since, recent = _of_late(run, reader, model, zone, now)
    delay = timedelta(days=model.card.label_delay_days if model.card is not None else 0)
    ripe_of = {"since": now - delay - CALIBRATED, "until": now - delay, "as_of": now}
    ripe = _seen(run, reader, query, model, ripe_of, [])
    return monitors.look(model, (since, now), recent, ripe, now)


def _of_late(
    run: Run, reader: warehouse.LakeReader, model: Model, zone: str, now: datetime
) -> tuple[datetime, monitors.Seen]:
    """The payments of the last day, or of as many as have enough, and since when.

    What a model reads of them is the same whichever model has scored them, so it is held to the card from the first
    look on. The model's own scores count where it has scored all that time, deciding or beside another.
    """
    challenged = any(column.name == "challenger" for column in _columns(reader, run, "decisions"))
    query = fraud_learning.watched_query(zone, challenged=challenged)
    columns = [base.name for base in (model.card.baselines if model.card is not None else [])]
    began = min((at for at in (model.challenger_at, model.champion_at) if at is not None), default=now)
    for span in WATCHED:
        since = now - span
        seen = _seen(run, reader, query, model, {"since": since, "until": now, "rows": _WATCHED_ROWS}, columns)
        if seen.columns.shape[1] >= monitors.ROWS_MIN:
            break
    scores = seen.scores[~np.isnan(seen.scores)] if began <= since else np.zeros(0)
    return since, msgspec.structs.replace(seen, scores=scores)


def _seen(
    run: Run,
    reader: warehouse.LakeReader,
    query: str,
    model: Model,
    period: Mapping[str, datetime | int],
    columns: list[str],
) -> monitors.Seen:
    """What a model read and scored of the payments that a query finds."""
    arguments = {**period, "model": model.sha256[:12]}
    try:
        matrix, scores, labels = fraud_learning.seen(
            _watched(run, reader.stream(run.tenant, query, arguments)), columns
        )
    except (LakeEmpty, NothingToLearnFrom):
        return monitors.Seen(columns=np.zeros((len(columns), 0)), scores=np.zeros(0), labels=np.zeros(0, np.int8))
    return monitors.Seen(columns=matrix, scores=scores, labels=labels)


def _compare(
    ground: Ground, run: Run, reader: warehouse.LakeReader, champion: Model, challenger: Model, zone: str
) -> None:
    now = ground.database.clock.now()
    if not any(column.name == "challenger" for column in _columns(reader, run, "decisions")):
        run.note("The challenger has scored no payment yet.")
        return
    since = max(now - COMPARED, challenger.challenger_at or now)
    query = fraud_learning.scored_query(zone, labelled=bool(_columns(reader, run, "labels")), beside=True)
    arguments = {
        "since": since, "until": now, "as_of": now, "model": champion.sha256[:12],
        "challenger": challenger.sha256[:12],
    }  # fmt: skip
    plan = challenger.plan or champion.plan or TrainingPlan()
    try:
        batches = _watched(run, reader.stream(run.tenant, query, arguments))
        live = fraud_learning.live(batches, now - timedelta(days=plan.delay_days))
    except (LakeEmpty, NothingToLearnFrom):
        run.note("Champion and challenger have no payment in common yet.")
        return
    names = (show_id("mdl", champion.id), show_id("mdl", challenger.id))
    thresholds = (champion.threshold, challenger.threshold)
    found = learning.compare(live, names, thresholds, plan.capacity, (since, now), now)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        models.note_comparison(tx, challenger.id, found)
    run.note(f"Compared on {found.rows:,} payments with {found.frauds:,} known frauds.")


def _watched(run: Run, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, until somebody asks to stop."""
    for batch in batches:
        run.stop_if_cancelled()
        yield batch


@contextmanager
def _reader(ground: Ground) -> Iterator[warehouse.LakeReader]:
    reader = warehouse.LakeReader(ground.url, ground.settings, threads=_THREADS)
    try:
        yield reader
    finally:
        reader.close()


def _columns(reader: warehouse.LakeReader, run: Run, table: str) -> tuple[LakeColumn, ...]:
    """The columns of a table of the firm's lake; none when it is not there."""
    return next((one.columns for one in reader.tables(run.tenant) if one.name == table), ())


def _tell_of(tx: Tx, model: Model) -> None:
    shown = show_id("mdl", model.id)
    notifications.notify(
        tx,
        NewNotification(
            kind="models.learnt", severity=Severity.INFO, key=f"models.learnt:{model.product}", link=f"/models/{shown}",
            title=f"A model was learnt: {model.name} (version {model.version})", text=_figures(model),
            permission=Permission.MODELS_READ,
        ),
    )  # fmt: skip


def _figures(model: Model) -> str:
    measures = () if model.card is None else model.card.measures
    return ", ".join(f"{one.name} {one.value:.4g}" for one in measures if one.value is not None)
