"""Models in service: shadow, two people, taking back, altered rows; and one learnt from the lake to its decisions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from finer.app import job_desk, model_learning
from finer.app.job_types import Ground
from finer.app.proposals import PROPOSAL_KINDS
from finer.fraud.service import brakes
from finer.fraud.service import verdicts as fraud
from finer.identity.errors import OwnProposal, PermissionMissing, ProposalStale
from finer.identity.service import audit, proposals
from finer.identity.types.access import Role
from finer.kit import runs
from finer.kit.clock import FixedClock
from finer.kit.ids import new_id, show_id
from finer.kit.runs import Run, RunCancelled, RunState
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import Notification
from finer.scoring import invariants
from finer.scoring.errors import (
    ModelChanged,
    ModelNotAcceptable,
    ModelNotFound,
    ModelRefused,
    TrainingRefused,
    TrainingUnderWay,
)
from finer.scoring.service import asking, models, monitors
from finer.scoring.types import Model, ModelState, TrainingPlan
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import Label
from tests.fraud.desk import NOON, Desk, Lake, acting, payment
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm
from tests.support.models import model_text

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
PLAN = TrainingPlan(days=4, delay_days=1, test_days=2, folds=1, labels="after_delay", target=5, capacity=5)


def registered(desk: Desk, limit: float, **more: Any) -> Model:
    """A candidate."""
    with desk.firm.tx(desk.writer) as tx:
        return models.register_model(
            tx, name=f"above {limit:g}", product="fraud", text=model_text(limit), known=fraud.model_columns(),
            threshold=0.5, **more,
        )  # fmt: skip


def crowned(desk: Desk, limit: float) -> Model:
    """A model that decides."""
    model = registered(desk, limit)
    with desk.firm.tx(desk.writer) as tx:
        return models.crown(tx, model.id)


def tried(desk: Desk, limit: float) -> Model:
    """A challenger."""
    model = registered(desk, limit)
    with desk.firm.tx(desk.writer) as tx:
        return models.to_shadow(tx, model.id)


def promote(desk: Desk, model: Model) -> None:
    """Two people make a challenger the champion."""
    with desk.firm.tx(desk.writer) as tx:
        proposal = proposals.propose(tx, PROPOSAL_KINDS, models.PROMOTE, models.promotion(model), "It finds more.")
    desk.approve(proposal)


def state_of(desk: Desk, model: Model) -> ModelState:
    with desk.firm.tx(desk.writer) as tx:
        return models.get_model(tx, model.id).state


def alter(url: str, model: Model) -> None:
    """What only somebody with the database's own rights can do."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("alter table scoring_models no force row level security")
        owner.execute("update scoring_models set text = replace(text, '100', '101') where id = %s", [model.id])
        owner.execute("alter table scoring_models force row level security")


def test_a_challenger_scores_live_payments_and_decides_nothing(desk: Desk) -> None:
    champion, challenger = crowned(desk, 100), tried(desk, 50)
    desk.send([payment(1, 20), payment(2, 70), payment(3, 150)])
    desk.work()
    assert set(desk.alerts()) == {"e3"}
    (batch,) = desk.lake.batches
    by = batch.decisions
    assert by is not None
    assert (by.model, by.challenger) == (champion.sha256[:12], challenger.sha256[:12])
    assert by.challenger_scores is not None
    assert (by.challenger_scores >= 0.5).tolist() == [False, True, True]
    with desk.firm.tx(desk.writer) as tx:
        counted = {(one.rule, one.shadow): one.hits for one in brakes.since(tx, timedelta(days=1))}
    assert counted["model_score", False] == 1
    assert counted["model_score", True] == 2


def test_a_repetition_is_scored_by_the_challenger_of_the_first_time(desk: Desk) -> None:
    crowned(desk, 100)
    first = tried(desk, 50)
    desk.send([payment(1, 70)])
    desk.work()
    tried(desk, 10)
    desk.send([payment(2, 70)])
    desk.work()
    before = [one.decisions.challenger for one in desk.lake.batches if one.decisions is not None]
    desk.start()
    desk.work()
    again = [one.decisions.challenger for one in desk.lake.batches if one.decisions is not None]
    assert again == before
    assert before[0] == first.sha256[:12]
    assert state_of(desk, first) is ModelState.RETIRED


def test_b11_a_model_decides_by_a_second_person_and_the_one_before_it_can_come_back_at_once(desk: Desk) -> None:
    old, new = crowned(desk, 100), tried(desk, 50)
    with desk.firm.tx(desk.writer) as tx:
        proposal = proposals.propose(tx, PROPOSAL_KINDS, models.PROMOTE, models.promotion(new), "It finds more.")
    with pytest.raises(OwnProposal):
        desk.approve(proposal, desk.writer)
    with pytest.raises(PermissionMissing):
        desk.approve(proposal, acting(desk.firm, Role.ADMINISTRATOR))
    desk.approve(proposal)
    assert (state_of(desk, old), state_of(desk, new)) == (ModelState.RETIRED, ModelState.CHAMPION)
    desk.send([payment(1, 70)])
    desk.work()
    (alert,) = desk.alerts().values()
    assert alert.verdict.model == new.sha256[:12]
    with desk.firm.tx(desk.writer) as tx:
        models.withdraw(tx, new.id, "It stops good people.")
        actions = {line.action for line in audit.list_audit(tx, 50, None)}
    assert (state_of(desk, old), state_of(desk, new)) == (ModelState.CHAMPION, ModelState.RETIRED)
    assert {"models:register", "models:shadow", "models:promote", "models:withdraw"} <= actions
    desk.send([payment(2, 70)])
    desk.work()
    assert set(desk.alerts()) == {"e1"}


def test_without_a_champion_before_it_rules_decide_alone(desk: Desk) -> None:
    only = crowned(desk, 100)
    with desk.firm.tx(desk.writer) as tx:
        models.withdraw(tx, only.id, "It stops good people.")
    desk.send([payment(1, 150)])
    desk.work()
    assert desk.alerts() == {}


def test_b11_another_champion_in_the_meantime_voids_a_proposal(desk: Desk) -> None:
    crowned(desk, 100)
    new = tried(desk, 50)
    with desk.firm.tx(desk.writer) as tx:
        proposal = proposals.propose(tx, PROPOSAL_KINDS, models.PROMOTE, models.promotion(new), "It finds more.")
    crowned(desk, 80)
    with pytest.raises((ProposalStale, ModelChanged)):
        desk.approve(proposal)


def test_g06_an_altered_champion_is_refused_and_the_last_good_model_goes_on(desk: Desk, database_url: str) -> None:
    good, bad = crowned(desk, 50), tried(desk, 100)
    promote(desk, bad)
    alter(database_url, bad)
    desk.start()  # a worker that remembers nothing
    desk.send([payment(1, 70)])
    desk.work()
    (alert,) = desk.alerts().values()
    assert alert.verdict.model == good.sha256[:12]
    with desk.firm.tx(desk.writer) as tx:
        assert len(invariants.models_are_as_registered(tx)) == 1
        monitors.tell_of_altered(tx, monitors.altered(tx))
        assert any(one.kind == "models.altered" for one in _told(tx))
        with pytest.raises(ModelRefused, match="was altered"):
            models.text_of(tx, bad.id)
        with pytest.raises(ModelRefused, match="was altered"):
            models.model_of(tx, bad.sha256)


def test_g06_a_worker_that_knows_the_model_goes_on_with_it_when_its_row_is_altered(
    desk: Desk, database_url: str
) -> None:
    champion = crowned(desk, 100)
    desk.send([payment(1, 150)])
    desk.work()
    alter(database_url, champion)
    desk.send([payment(2, 150)])
    desk.work()
    assert {one.verdict.model for one in desk.alerts().values()} == {champion.sha256[:12]}


def test_g06_no_role_of_the_application_can_change_the_text_of_a_model(desk: Desk) -> None:
    model = registered(desk, 100)
    for database in (desk.firm.database, desk.database):
        with pytest.raises(sa.exc.ProgrammingError), database.transaction(desk.firm.tenant.id, desk.writer) as tx:
            tx.connection.exec_driver_sql("update scoring_models set text = 'x' where id = %s", (model.id,))


def test_what_cannot_be_done_says_why(desk: Desk, other_firm: Firm) -> None:
    model = registered(desk, 100)
    with desk.firm.tx(desk.writer) as tx:
        with pytest.raises(ModelRefused, match="altered, or it is another one"):
            models.register_model(
                tx, name="x", product="fraud", text=model_text(50), known={"amount_usd"}, threshold=0.5,
                sha256=model.sha256,
            )  # fmt: skip
        with pytest.raises(ModelChanged, match="becomes champion out of shadow"):
            models.promotion_version(tx, models.promotion(model))
        with pytest.raises(ModelChanged, match="not champion"):
            models.withdraw(tx, model.id, "why")
        with pytest.raises(ModelNotAcceptable):
            models.retire(tx, model.id, " ")
        assert models.retire(tx, model.id, "Not needed.").state is ModelState.RETIRED
        with pytest.raises(ModelNotFound):
            models.get_model(tx, new_id())
    with other_firm.tx() as tx, pytest.raises(ModelNotFound):
        models.get_model(tx, model.id)


@pytest.fixture
def ground(desk: Desk, database_url: str, tmp_path: Path, clock: FixedClock) -> Ground:
    """Twelve days of payments in the lake, one in twenty of them a fraud of a larger amount, known by now."""
    clock.advance(NOON - clock.now())
    stands_on = Ground(desk.database, database_url, Settings(data_dir=str(tmp_path), lake_flush_s=0.05))
    random, begin = np.random.default_rng(5), NOON - timedelta(days=12)
    amounts = random.lognormal(3, 0.4, 2400)
    frauds = random.random(2400) < 1 / 20
    amounts[frauds] *= 2.5
    desk.send(
        payment(
            number, round(float(amounts[number]), 2), occurred_at=(begin + number * timedelta(minutes=7.2)).isoformat(),
            account_id=f"a{number % 200}", customer_id=f"c{number % 200}", channel="web" if number % 3 else "pos",
        )
        for number in range(2400)
    )  # fmt: skip
    into_lake(desk, stands_on)
    labels = [
        Label(
            event_id=f"e{number}", occurred_at=begin, verdict="confirmed_fraud", known_at=NOON - timedelta(hours=1),
            source="test",
        )
        for number in np.flatnonzero(frauds)
    ]  # fmt: skip
    warehouse.append_labels(warehouse.LakeAccess(database_url, stands_on.settings), desk.firm.tenant.id, labels)
    return stands_on


def into_lake(desk: Desk, ground: Ground) -> None:
    """Decide what is in the log, and write it to the lake."""
    writer = warehouse.LakeWriter(ground.url, ground.settings)
    desk.lake = cast(Lake, writer)
    desk.pipeline._lake = writer
    desk.work()
    assert writer.flush(240)
    writer.close()


def run_of(desk: Desk, job: str, stop: bool = False, **arguments: Any) -> Run:
    """A run of a job that somebody asked for."""
    with desk.firm.tx(desk.writer) as tx:
        identifier = runs.start(tx, job, arguments=arguments)
        assert identifier is not None
        record = runs.get(tx, identifier)
        assert record is not None
    return Run(record, desk.firm.tenant.id, lambda *_: stop)


def learnt(desk: Desk, ground: Ground, plan: TrainingPlan = PLAN) -> Model:
    """The model of a run."""
    with desk.firm.tx(desk.writer) as tx:
        identifier = asking.begin_training(tx, plan, "first", "a note")
        record = runs.get(tx, identifier)
        assert record is not None
    try:
        counts = model_learning.train_model(ground, Run(record, desk.firm.tenant.id))
    finally:
        with desk.firm.tx(desk.writer) as tx:
            runs.finish(tx, identifier, RunState.SUCCEEDED)
    assert counts["payments"] > 1500
    with desk.firm.tx(desk.writer) as tx:
        return models.list_models(tx, "fraud")[0]


def test_of_trainings_that_are_asked_for_at_once_one_is_done_and_the_others_are_told(desk: Desk) -> None:
    told: list[str] = []

    def ask(number: int) -> None:
        try:
            with desk.firm.tx(desk.writer) as tx:
                told.append(show_id("run", asking.begin_training(tx, PLAN, f"Number {number}", "")))
        except TrainingUnderWay as error:
            told.append(error.detail)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, range(3)))
    with desk.firm.tx(desk.writer) as tx:
        [begun] = [one for one in runs.under_way(tx) if one.job == asking.TRAIN_JOB]
        shown = show_id("run", begun.id)
        assert told.count(shown) == 1
        assert sum(f"({shown}, asked for by {desk.writer.name})" in one for one in told) == 2
        # One that is stopped, as one that has ended, keeps nobody from asking, nor does one on schedule.
        asking.stop_training(tx)
        assert runs.start(tx, asking.TRAIN_JOB, cause=runs.Cause.SCHEDULE) is not None
        again = asking.begin_training(tx, PLAN, "again", "")
        assert again != begun.id
        # Nor is one that was stopped begun once more beside it, from the page of jobs.
        with pytest.raises(TrainingUnderWay, match=show_id("run", again)):
            job_desk.retry(tx, begun.id)
        asking.stop_training(tx)
        assert job_desk.retry(tx, begun.id).arguments["name"] == begun.arguments["name"]
        with pytest.raises(TrainingUnderWay):
            job_desk.retry(tx, again)


def test_a_model_is_learnt_from_the_lake_with_a_card_compared_and_watched(
    desk: Desk, ground: Ground, clock: FixedClock
) -> None:
    found = learnt(desk, ground)
    card = found.card
    assert card is not None
    assert (found.state, found.version, found.owner) == (ModelState.CANDIDATE, 1, desk.writer.id)
    assert card.learnt_until + timedelta(days=1) == card.tested_since
    assert card.tested_until == NOON - timedelta(days=1)
    measures = {one.name: one for one in card.measures}
    precision = measures["average precision"]
    assert precision.value is not None
    assert precision.low is not None
    assert precision.high is not None
    assert precision.low <= precision.value <= precision.high
    assert 0.5 < precision.value < 1
    assert any(one.term.startswith("amount") for one in card.weights[:2])
    assert {one.by for one in card.groups} == {"channel", "merchant_country", "type"}
    assert sum(one.rows for one in card.groups if one.by == "channel") == card.tested_rows
    assert sum(card.score.shares) + card.score.missing == pytest.approx(1)
    assert card.calibration_error < 0.05

    challenger = found
    champion = crowned(desk, 100)
    with desk.firm.tx(desk.writer) as tx:
        models.to_shadow(tx, challenger.id)
    clock.advance(timedelta(days=3))
    desk.tenants._known.clear()
    desk.send(
        payment(
            10_000 + number, 350 if number % 40 == 0 else 20, account_id=f"a{number % 200}",
            occurred_at=(NOON + number * timedelta(seconds=30)).isoformat(),
        )
        for number in range(800)
    )  # fmt: skip
    into_lake(desk, ground)
    label = Label(event_id="e10000", occurred_at=NOON, verdict="confirmed_fraud", known_at=clock.now(), source="test")
    access = warehouse.LakeAccess(ground.url, ground.settings)
    warehouse.append_labels(access, desk.firm.tenant.id, [label])
    model_learning.watch_models(ground, run_of(desk, asking.WATCH_JOB))
    with desk.firm.tx(desk.writer) as tx:
        compared = models.get_model(tx, challenger.id).comparison
    assert compared is not None
    assert (compared.rows, compared.frauds) == (800, 1)
    assert compared.champion.model != compared.challenger.model
    assert compared.champion.flagged == 20
    assert compared.differences[0].name == "average precision"
    assert champion.card is None  # one that came from elsewhere is not watched

    promote(desk, challenger)
    model_learning.watch_models(ground, run_of(desk, asking.WATCH_JOB))
    with desk.firm.tx(desk.writer) as tx:
        early = models.get_model(tx, challenger.id).watch
    assert early is not None
    # One day has too few payments, a week enough. What it reads is known at once, how it scores only after as long.
    assert (early.rows, early.until - early.since, early.score) == (1600, timedelta(days=7), None)
    assert {one.name for one in early.inputs} >= {"amount_usd_minor", "local_hour"}
    clock.advance(timedelta(days=1))
    desk.send(
        payment(20_000 + number, 5_000, occurred_at=(NOON + timedelta(days=3, seconds=30 * number)).isoformat())
        for number in range(600)
    )
    into_lake(desk, ground)
    model_learning.watch_models(ground, run_of(desk, asking.WATCH_JOB))
    with desk.firm.tx(desk.writer) as tx:
        seen = models.get_model(tx, challenger.id).watch
        told = [one for one in _told(tx) if one.kind == "models.watch"]
        assert len(monitors.history(tx, challenger.id)) == 2
    assert seen is not None
    assert seen.score is not None
    assert (seen.rows, seen.score.state, seen.state) == (600, "alarm", "alarm")
    assert "amount_usd_minor" in " ".join(seen.says)
    assert [one.link.split("/")[1] for one in told] == ["models"]


def test_runs_that_end_without_a_model_and_those_on_schedule(
    desk: Desk, ground: Ground, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has begun here, so the schedule does nothing.
    assert model_learning.train_model(ground, run_of(desk, asking.TRAIN_JOB))["payments"] == 0
    # Labels that nobody knew in time teach nothing, and the refusal says what to do.
    with pytest.raises(TrainingRefused, match=r"0 frauds that were known.*labels: after_delay"):
        learnt(desk, ground, TrainingPlan(days=4, delay_days=1, test_days=2, folds=1))
    # A run that somebody stops leaves no model.
    with pytest.raises(RunCancelled):
        model_learning.train_model(ground, run_of(desk, asking.TRAIN_JOB, True, plan=msgspec.to_builtins(PLAN)))
    with desk.firm.tx(desk.writer) as tx:
        assert models.list_models(tx) == []

    with desk.firm.tx(desk.writer) as tx:
        asked = asking.last_training(tx)
        assert asked is not None
        assert asked.arguments["plan"]["labels"] == "after_delay"
        assert asking.stop_training(tx).id == asked.id
        with pytest.raises(ModelChanged, match="No model is being learnt"):
            asking.stop_training(tx)

    first = learnt(desk, ground)
    assert model_learning.train_model(ground, run_of(desk, asking.TRAIN_JOB))["payments"] == 0
    clock.advance(timedelta(hours=1))
    monkeypatch.setattr(model_learning, "RETRAIN_AFTER", timedelta(hours=1))
    assert model_learning.train_model(ground, run_of(desk, asking.TRAIN_JOB))["version"] == 2
    with desk.firm.tx(desk.writer) as tx:
        again = models.list_models(tx)[0]
    assert (again.state, again.owner, again.plan) == (ModelState.CHALLENGER, first.owner, first.plan)


def _told(tx: Tx) -> list[Notification]:
    return list(notifications.changed_notifications(tx, 0))
