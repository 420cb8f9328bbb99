"""Decisions made again come out as they were, or say what differs; alerts are explained by what decided them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import psycopg
import pyarrow as pa
import pytest

from finer.app.alert_explainer import AlertExplainer
from finer.app.replaying import replay_one
from finer.decisions.types.alerts import Action
from finer.fraud.service import explanations, replay
from finer.fraud.service import verdicts as fraud
from finer.kit.errors import NotFound
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.scoring.service import models
from finer.scoring.service.explanations import ADDITIVITY_MAX
from finer.warehouse.service import lake as warehouse
from tests.fraud.desk import NOON, Desk, Lake, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.models import model_text

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
_DAY = timedelta(days=1)
_ZONE = ZoneInfo("Asia/Manila")


class Scene:
    """A desk whose decisions are in a lake."""

    def __init__(self, desk: Desk, url: str, folder: Path) -> None:
        self.desk, self.url = desk, url
        self.settings = Settings(data_dir=str(folder), lake_flush_s=0.05)
        self.reader = warehouse.LakeReader(url, self.settings, threads=1)
        self._number = 0

    def crown(self, limit: float) -> str:
        """Another model decides; its hash."""
        with self.desk.firm.tx(self.desk.writer) as tx:
            made = models.register_model(
                tx, name=f"above {limit:g}", product="fraud", text=model_text(limit), known=fraud.model_columns(),
                threshold=0.5,
            )  # fmt: skip
            models.crown(tx, made.id)
        return made.sha256

    def decide(self, *payments: dict[str, Any]) -> None:
        """Payments are decided, and reach the lake."""
        self.desk.send(payments)
        writer = warehouse.LakeWriter(self.url, self.settings)
        self.desk.lake = cast(Lake, writer)
        self.desk.pipeline._lake = writer
        self.desk.work()
        assert writer.flush(240)
        writer.close()

    def recorded(self, *events: str) -> pa.RecordBatch:
        """What the lake keeps of some payments."""
        arguments = {"events": list(events), "since": NOON - _DAY, "until": NOON + _DAY}
        table = self.reader.read(self.desk.firm.tenant.id, replay.recorded_query(), arguments)
        return table.combine_chunks().to_batches()[0]

    def replayed(self, *events: str) -> list[replay.Replayed]:
        """The payments decided again."""
        batch = self.recorded(*events)
        with self.desk.database.transaction(self.desk.firm.tenant.id, self.desk.writer, read_only=True) as tx:
            return replay.replay(tx, batch, _ZONE)


@pytest.fixture
def scene(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A risk desk with a lake."""
    found = Scene(desk, database_url, tmp_path)
    yield found
    found.reader.close()


def test_decisions_before_and_after_a_change_of_rules_and_model_come_out_again(scene: Scene) -> None:
    scene.crown(100)
    random = np.random.default_rng(3)
    amounts = [round(float(amount), 2) for amount in random.uniform(5, 1500, 60)]
    before = [payment(n, amounts[n], account_id=f"a{n % 7}", device_id=f"d{n % 5}") for n in range(30)]
    scene.decide(*before)
    scene.desk.live("cheap", text("amount_usd < 60 and account.count_10s > 1", Action.REVIEW))
    scene.crown(50)
    after = [payment(n, amounts[n], account_id=f"a{n % 7}", currency="PHP" if n % 3 else "ZMW") for n in range(30, 60)]
    scene.decide(*after)
    found = scene.replayed(*(f"e{n}" for n in range(60)))
    assert [one.differences for one in found if not one.same] == []
    assert len(found) == 60
    assert len({one.rule_set for one in found}) == 2
    assert len({one.model for one in found}) == 2
    actions = [one.verdict.action for one in found if one.verdict is not None]
    assert {"approve", "review", "block"} == set(actions)
    # Held to the answers that were given: reasons, values, and the score as a 64-bit number.
    for alert in scene.desk.alerts().values():
        again = replay_one(scene.desk.database, scene.reader, scene.desk.firm.tenant.id, show_id("alr", alert.id))
        assert again.same, again.differences
        assert again.verdict == alert.verdict
        break
    # Explained together they are explained as each is alone, whatever decided them.
    batch = scene.recorded(*(f"e{n}" for n in range(60)))
    with scene.desk.firm.tx(scene.desk.writer) as tx:
        together = explanations.explain(tx, batch, _ZONE)
        alone = [explanations.explain(tx, batch.slice(row, 1), _ZONE) for row in range(60)]
    assert [{event: together[event]} for event in batch.column("event_id").to_pylist()] == alone
    alerts = scene.desk.alerts()
    assert AlertExplainer(scene.desk.database, scene.reader).look(scene.desk.firm.tenant.id, _ZONE) == len(alerts)
    with scene.desk.firm.tx(scene.desk.writer) as tx:
        kept = explanations.explanations_of(tx, [alert.id for alert in alerts.values()])
    assert kept == {alert.id: together[event] for event, alert in alerts.items()}
    # Also those without a rate, whose amount in US dollars is not known.
    assert {one.value is None for found in kept.values() for one in found.contributions} == {True, False}
    assert len({one.would_pass for one in together.values()}) > 2
    with pytest.raises(NotFound, match="The lake holds no decided payment"):
        replay_one(scene.desk.database, scene.reader, scene.desk.firm.tenant.id, "e999")


def test_a_replay_says_what_differs(scene: Scene, database_url: str) -> None:
    sha256 = scene.crown(100)
    scene.decide(payment(1, 150))
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("alter table scoring_models no force row level security")
        owner.execute("update scoring_models set text = replace(text, '100', '101') where sha256 = %s", [sha256])
        owner.execute("alter table scoring_models force row level security")
    (found,) = scene.replayed("e1")
    assert [(one.what, one.then) for one in found.differences] == [("model", sha256[:12])]
    assert found.verdict is None

    batch = scene.recorded("e1")
    place = batch.schema.get_field_index("kept_model")
    other = batch.set_column(place, "kept_model", pa.array([None], pa.string()))
    with scene.desk.firm.tx(scene.desk.writer) as tx:
        (found,) = replay.replay(tx, other, _ZONE)
    assert {one.what for one in found.differences} == {"action", "rules", "score"}


def test_an_alert_is_explained_by_rules_and_model_together_and_what_would_have_passed(scene: Scene) -> None:
    scene.crown(100)
    scene.decide(payment(1, 20, account_id="a1", device_id="d1"), payment(9, 900, account_id="a1"))
    explainer = AlertExplainer(scene.desk.database, scene.reader)
    assert explainer.look(scene.desk.firm.tenant.id, _ZONE) == 1
    assert explainer.look(scene.desk.firm.tenant.id, _ZONE) == 0
    alert = scene.desk.alerts()["e9"]
    with scene.desk.firm.tx(scene.desk.writer) as tx:
        found = explanations.explanations_of(tx, [alert.id])[alert.id]
    assert [one.text for one in found.reasons if one.source == "rule"] == alert.verdict.reasons
    assert [one.name for one in found.reasons if one.source == "model"] == ["amount_usd"]
    assert found.score == alert.verdict.score
    assert found.log_odds is not None
    assert found.common is not None
    parts = sum(one.log_odds for one in found.contributions)
    assert abs(found.common + parts - found.log_odds) <= ADDITIVITY_MAX

    # What it says holds: with that amount, the payment passes.
    assert found.would_pass is not None
    assert found.would_pass.startswith("It would have passed had the ")
    amount = float(found.would_pass.split(" been ")[1].split(" ")[0].replace(",", ""))
    assert amount < 800
    scene.decide(payment(10, amount, account_id="a1", device_id="d1"))
    assert "e10" not in scene.desk.alerts()


def test_an_alert_without_a_model_is_explained_by_rules_alone(scene: Scene) -> None:
    scene.decide(payment(1, 900))
    explainer = AlertExplainer(scene.desk.database, scene.reader)
    explainer.look(scene.desk.firm.tenant.id, _ZONE)
    (alert,) = scene.desk.alerts().values()
    with scene.desk.firm.tx(scene.desk.writer) as tx:
        found = explanations.explanations_of(tx, [alert.id])[alert.id]
    assert [one.source for one in found.reasons] == ["rule"]
    assert found.would_pass == "It would have passed had the amount been 800 USD instead of 900 USD."
    assert (found.score, found.contributions) == (None, [])
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
