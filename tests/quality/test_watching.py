"""Watching a firm's records through PostgreSQL and the lake: what opens an incident, and what closes it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from finer.app.quality_watch import QualityWatch
from finer.identity.types.access import Role
from finer.ingest.service import contracts, parsing
from finer.ingest.store.rollups import RollupStore
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.db import connect
from finer.kit.log import PostgresLog
from finer.notifications import service as notifications
from finer.quality import invariants
from finer.quality.errors import ChangedMeanwhile, IncidentClosed, IncidentNotFound, MonitorNotFound, MuteTooLong
from finer.quality.service import incidents, overview, watching
from finer.quality.types import IncidentState, MonitorKind, MonitorState, Sensitivity, Severity
from finer.warehouse.service import lake as warehouse
from tests.quality.conftest import Stream, without
from tests.support.identity import Firm


def told(stream: Stream) -> list[str]:
    with stream.firm.tx() as tx:
        return [one.text for one in notifications.list_notifications(tx)[0] if one.settled_at is None]


def test_usual_records_open_nothing_and_are_scored(usual: Stream) -> None:
    usual.steps(6)
    assert usual.open() == []
    with usual.firm.tx() as tx:
        found = overview.get_quality(tx, "order")
        assert [one.score for one in found.scores] == [1.0, 1.0, 1.0]
        assert found.scores[0].received == 71 * 120
        assert found.monitors.get(MonitorState.UNUSUAL) is None
        states = {(one.kind, one.field): state for one, state, _ in overview.list_monitors(tx, "order")}
        assert states[MonitorKind.COMPLETENESS, "country"] is MonitorState.USUAL
        assert (MonitorKind.DISTRIBUTION, "country") in states
        assert (MonitorKind.DISTRIBUTION, "quantity") in states
        assert (MonitorKind.DISTRIBUTION, "order_id") not in states
        assert (MonitorKind.COMPLETENESS, "unit_cost_minor") in states
        assert (MonitorKind.DISTRIBUTION, "unit_cost_minor") not in states, "a secret of the firm is in no incident"
        assert invariants.observations_are_possible(tx) == []


def test_empty_values_open_an_incident_with_the_keys_of_the_records(usual: Stream) -> None:
    began = usual.clock.now()
    usual.steps(3, change=without("country"))
    (found,) = usual.open()
    assert found.kind is MonitorKind.COMPLETENESS
    assert found.severity is Severity.CRITICAL
    assert timedelta(0) <= found.since - began <= timedelta(seconds=10)
    assert found.opened_at - began <= timedelta(seconds=30)
    assert found.keys.kind == "event"
    assert 0 < len(found.keys.ids) <= 50
    assert found.keys.records >= 60
    assert all(one.startswith("order-") for one in found.keys.ids)
    (text,) = told(usual)
    assert "of country is empty since" in text
    usual.steps(8)
    assert usual.open() == []
    assert usual.every()[0].state is IncidentState.SETTLED
    assert told(usual) == []


def test_no_transaction_waits_for_the_lake(usual: Stream, database_url: str) -> None:
    class Slow(warehouse.LakeReader):
        asked = 0

        def read(
            self, tenant: uuid.UUID, statement: str, arguments: dict[str, Any] | None = None, *, contract: str = ""
        ) -> pa.Table:
            waits = (
                "select count(*) from pg_stat_activity where datname = current_database() "
                "and usename = 'finer_worker' and state like 'idle in transaction%'"
            )
            with connect(database_url) as owner:
                assert owner.execute(waits).fetchone() == (0,)
            Slow.asked += 1
            return super().read(tenant, statement, arguments, contract=contract)

    reader = Slow(database_url, usual.firm.settings)
    usual.watch = QualityWatch(usual.worker, reader)
    usual.steps(3, change=without("country"))
    reader.close()
    assert Slow.asked >= 2  # the steps, and the keys of what failed
    assert [one.keys.kind for one in usual.open()] == ["event"]


def test_a_distribution_that_moves_names_the_value(usual: Stream) -> None:
    def change(columns: dict[str, Any]) -> dict[str, Any]:
        return columns | {"country": pa.array(["SG"] * len(columns["event_id"]))}

    usual.steps(3, change=change)
    (found,) = usual.open()
    assert (found.kind, found.parts[0].field) == (MonitorKind.DISTRIBUTION, "country")
    assert found.parts[0].detail.startswith("SG: 100 % instead of 3")
    assert found.keys.records >= 120


def test_numbers_that_move_name_their_interval(usual: Stream) -> None:
    def change(columns: dict[str, Any]) -> dict[str, Any]:
        return columns | {"quantity": pa.array([900] * len(columns["event_id"]))}

    usual.steps(3, change=change)
    (found,) = usual.open()
    assert found.parts[0].detail.startswith("above 3")
    assert "100 % instead of" in found.parts[0].detail


def test_a_stop_is_one_incident_and_settles_when_records_come(usual: Stream) -> None:
    usual.steps(4, records=0)
    (found,) = usual.open()
    assert found.kind is MonitorKind.FRESHNESS
    assert found.severity is Severity.CRITICAL
    assert told(usual)[0].startswith("No order since")
    usual.steps(3, records=0)
    assert len(usual.open()) == 1
    # What comes after it all at once has the same cause.
    usual.steps(2, records=2000, delay_s=70)
    usual.steps(8)
    assert usual.open() == []
    assert len(usual.every()) == 1


def test_only_what_waits_of_the_firm_itself_lets_a_look_wait(usual: Stream) -> None:
    waits = b"""{"event_id": "order-waits", "type": "placed", "occurred_at": "2026-06-01T10:00:00Z", "order_id": "o-1",
    "product_id": "p-1", "quantity": 1, "unit_price": 5, "amount": 5, "currency": "SGD"}""".replace(b"\n", b"")
    parsed = parsing.parse_bodies(contracts.contract("order"), [Body(data=waits)], usual.firm.settings)
    assert parsed.batch.num_rows == 1, parsed.bodies[0]

    def append(firm: Firm) -> None:
        with firm.tx() as tx:
            PostgresLog.append(tx.connection, "order", 0, tx.tenant, parsed.contract.header, parsed.batch)

    append(Firm.made(usual.firm.database, usual.firm.settings, f"other-{uuid.uuid4().hex[:8]}"))
    usual.steps(4, records=0)
    assert len(usual.open()) == 1
    seen = usual.clock.now()
    append(usual.firm)
    usual.steps(3)
    assert usual.look() == 0
    assert usual.open()[0].last_at <= seen


def test_what_comes_back_is_the_same_incident(usual: Stream) -> None:
    for _ in range(3):
        usual.steps(3, change=without("country"))
        assert len(usual.open()) == 1
        usual.steps(6)
        assert usual.open() == []
    assert len(usual.every()) == 1


def test_a_flood_of_duplicates_and_refusals_are_told(usual: Stream) -> None:
    usual.steps(3, records=900, repeated=780)
    (flood,) = usual.open()
    assert flood.kind is MonitorKind.DUPLICATES
    assert {part.kind for part in flood.parts} <= {MonitorKind.DUPLICATES, MonitorKind.VOLUME}
    usual.steps(8)
    assert usual.open() == []
    usual.steps(3, refused=60)
    (refused,) = usual.open()
    assert refused.kind is MonitorKind.VALIDITY
    assert refused.keys.kind == "quarantined"
    with usual.firm.tx() as tx:
        score = overview.score(tx, "order")
        assert score.received - score.passed == 180
        assert score.score is not None
        assert score.score < 1


def test_late_records_and_skewed_clocks_are_timeliness(usual: Stream) -> None:
    usual.steps(3, delay_s=7200)
    assert [one.kind for one in usual.open()] == [MonitorKind.TIMELINESS]
    usual.steps(8)
    usual.steps(3, delay_s=-3000)
    (found,) = usual.open()
    assert found.parts[0].value < 0


def test_what_breaks_at_once_is_one_incident(usual: Stream) -> None:
    usual.steps(4, change=without("country", 0.5), delay_s=7200, refused=80)
    (found,) = usual.open()
    assert [part.kind for part in found.parts] == [
        MonitorKind.VALIDITY, MonitorKind.COMPLETENESS, MonitorKind.TIMELINESS,
    ]  # fmt: skip
    assert len(told(usual)) == 1
    with usual.firm.tx() as tx:
        assert invariants.one_open_incident_for_each_monitor(tx) == []


def test_called_normal_it_is_learned_anew(usual: Stream) -> None:
    usual.steps(4, change=without("country", 0.5))
    (found,) = usual.open()
    with usual.firm.tx(usual.actor(Role.DATA_ENGINEER)) as tx:
        closed = incidents.expect(tx, found.id, found.version, "They do not send it any more.")
    assert closed.state is IncidentState.EXPECTED
    usual.steps(40, change=without("country", 0.5))
    assert usual.open() == []
    assert usual.monitor(MonitorKind.COMPLETENESS, "country").relearn_from == found.since
    usual.steps(3, change=without("country", 0.95))
    assert [one.kind for one in usual.open()] == [MonitorKind.COMPLETENESS]


def test_acknowledged_it_stays_open_and_resolved_it_rests_for_five_minutes(usual: Stream) -> None:
    usual.steps(3, change=without("country"))
    (found,) = usual.open()
    engineer = usual.actor(Role.DATA_ENGINEER)
    with usual.firm.tx(engineer) as tx:
        seen = incidents.acknowledge(tx, found.id, found.version, "I ask the sender.")
        assert (seen.state, seen.note, seen.changed_by) == (
            IncidentState.ACKNOWLEDGED, "I ask the sender.", engineer.name,
        )  # fmt: skip
        with pytest.raises(ChangedMeanwhile):
            incidents.resolve(tx, found.id, found.version, "")
        incidents.resolve(tx, found.id, seen.version, "Mended.")
        with pytest.raises(IncidentClosed):
            incidents.acknowledge(tx, found.id, seen.version + 1, "")
    assert told(usual) == []
    usual.steps(20, change=without("country"))
    assert usual.open() == []
    usual.steps(14, change=without("country"))
    assert len(usual.open()) == 1


def test_muted_and_switched_off_monitors_open_nothing(usual: Stream) -> None:
    one = usual.monitor(MonitorKind.COMPLETENESS, "country")
    engineer = usual.actor(Role.DATA_ENGINEER)
    muted = usual.clock.now() + timedelta(minutes=2)
    with usual.firm.tx(engineer) as tx:
        with pytest.raises(MuteTooLong):
            overview.change_monitor(
                tx, one.id, one.version, enabled=True, sensitivity=Sensitivity.NORMAL,
                muted_until=usual.clock.now() + timedelta(days=91),
            )  # fmt: skip
        changed, state, _ = overview.change_monitor(
            tx, one.id, one.version, enabled=True, sensitivity=Sensitivity.HIGH, muted_until=muted
        )
        assert state is MonitorState.MUTED
        with pytest.raises(ChangedMeanwhile):
            overview.change_monitor(
                tx, one.id, one.version, enabled=False, sensitivity=Sensitivity.LOW, muted_until=None
            )
    usual.steps(5, change=without("country"))
    assert usual.open() == []
    usual.steps(8, change=without("country"))
    assert len(usual.open()) == 1
    with usual.firm.tx(engineer) as tx:
        overview.change_monitor(
            tx, one.id, changed.version, enabled=False, sensitivity=Sensitivity.NORMAL, muted_until=None
        )
    usual.steps(4, change=without("country"))
    assert usual.open() == []


def test_a_firm_without_records_is_not_watched(stream: Stream) -> None:
    assert stream.look() == 0
    with stream.firm.tx() as tx:
        assert watching.contracts_to_watch(tx) == []
        found = overview.list_qualities(tx)
        assert all(one.scores[-1].score is None for one in found)
        assert overview.list_monitors(tx, "order") == []


def test_records_that_are_all_refused_are_watched_without_a_table_in_the_lake(stream: Stream) -> None:
    stream.steps(12, records=0, refused=50)
    with stream.firm.tx() as tx:
        assert overview.score(tx, "order").score == 0.0


def test_what_nobody_looked_at_is_caught_up_or_left(usual: Stream) -> None:
    with usual.worker.transaction(usual.firm.tenant.id, SYSTEM) as tx:
        RollupStore(tx).add_rollup("order", "api", usual.clock.now(), received=5)
    usual.clock.advance(timedelta(minutes=5))
    assert usual.look() == 30
    usual.clock.advance(timedelta(hours=2))
    # Two hours in which nobody looked are no stop.
    assert usual.look() == 1
    assert [one.kind for one in usual.every()] in ([], [MonitorKind.FRESHNESS])


def test_hours_are_kept_and_old_steps_forgotten(stream: Stream) -> None:
    stream.clock.advance(timedelta(minutes=58))
    stream.steps(1)
    stream.steps(14)
    with stream.worker.transaction(stream.firm.tenant.id, SYSTEM) as tx:
        points = overview.history_of(tx, stream.monitor(MonitorKind.VOLUME), 100)
        assert [one.value for one in points] == [pytest.approx(12.0)]
    stream.clock.advance(timedelta(days=2))
    with stream.worker.transaction(stream.firm.tenant.id, SYSTEM) as tx:
        assert watching.forget_old(tx) == 15
        assert len(overview.history_of(tx, stream.monitor(MonitorKind.VOLUME), 100)) == 1


def test_names_and_ids_of_others_name_nothing(usual: Stream, database_url: str) -> None:
    usual.steps(3, change=without("country"))
    (found,) = usual.open()
    one = usual.monitor(MonitorKind.VOLUME)
    other = type(usual.firm).made(usual.firm.database, usual.firm.settings, f"other-{found.id.hex[:8]}")
    with other.tx() as tx:
        with pytest.raises(IncidentNotFound):
            incidents.get_incident(tx, found.id)
        with pytest.raises(IncidentNotFound):
            incidents.expect(tx, found.id, 1, "")
        with pytest.raises(MonitorNotFound):
            overview.get_monitor(tx, one.id)
        assert incidents.list_incidents(tx)[0] == []
