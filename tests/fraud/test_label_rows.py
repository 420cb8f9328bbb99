"""Frauds that became known reach the windows of later payments: once, in their place, and again at every repetition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from finer.app.log_upkeep import drop_forgotten
from finer.app.verify import _windows
from finer.app.worker import Snapshots
from finer.facts.decisions import AlertResolved
from finer.features import service as features
from finer.fraud import invariants
from finer.fraud.service import label_rows
from finer.fraud.service import verdicts as fraud
from finer.fraud.store import lake
from finer.kit.settings import Settings
from finer.privacy.service import erasure
from finer.warehouse import handlers
from finer.warehouse.errors import NotInLakeYet
from finer.warehouse.service import lake as warehouse
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.types import LakeBatch
from tests.fraud.desk import NOON, Desk, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
DAY = timedelta(days=1)
WINDOWS = ("merchant.frauds_1d", "merchant.frauds_7d", "merchant.frauds_28d", "account.frauds_28d")


class Scene:
    """A desk with a lake. `seen` holds by log offset what the windows of frauds were, `again` where that differed."""

    def __init__(self, desk: Desk, url: str, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.settings = Settings(data_dir=str(folder), lake_flush_s=0.05)
        self.access = warehouse.LakeAccess(url, self.settings)
        self.reader = warehouse.LakeReader(url, self.settings, threads=1)
        self.writer = warehouse.LakeWriter(url, self.settings)
        self.seen: dict[int, list[float]] = {}
        self.again: list[int] = []
        self.events: dict[str, datetime] = {}
        self._attend()

    def _attend(self) -> None:
        self.desk.lake = cast(Any, self)
        self.desk.pipeline._lake = cast(Any, self)

    def put(self, batch: LakeBatch) -> None:
        """What the worker gives to the lake passes here."""
        assert batch.decisions is not None
        columns = [pa.array(batch.decisions.features[name]).to_pylist() for name in WINDOWS]
        for offset, values in zip(batch.offsets.tolist(), map(list, zip(*columns, strict=True)), strict=True):
            if self.seen.setdefault(offset, values) != values:
                self.again.append(offset)
        self.writer.put(batch)

    def decide(self, *payments: dict[str, Any], at_once: int = 1_000, bodies: int = 1) -> None:
        """Payments are decided, `at_once` in a batch of what came in so many bodies, and reach the lake."""
        self.events |= {one["event_id"]: datetime.fromisoformat(one["occurred_at"]) for one in payments}
        for body in range(bodies):
            self.desk.send(payments[body::bodies])
        self.desk.work(at_once)
        assert self.writer.flush(240)

    def fact(self, event: str, verdict: str, known_at: datetime) -> AlertResolved:
        """Something becomes known of a payment."""
        return AlertResolved(event, self.events[event], verdict, known_at, "chargeback")

    def label(self, event: str, verdict: str, known_at: datetime) -> None:
        """Something becomes known of a payment, and the job carries it on."""
        self.carry(self.fact(event, verdict, known_at))

    def carry(self, *facts: AlertResolved) -> None:
        """The job does its work."""
        with self.desk.database.transaction(self.desk.firm.tenant.id, self.desk.writer) as tx:
            handlers.append_label(tx, facts, self.access)

    def restart(self, snapshot: Path | None = None) -> None:
        """Another worker begins, with the windows of a snapshot or with none."""
        self.desk.start()
        self._attend()
        if snapshot is not None:
            found = Snapshots(snapshot, self.desk.database.clock, "this log").restore(self.settings, {})
            assert found is not None
            self.desk.pipeline.engine, self.desk.pipeline.seen, applied = found
            self.desk.pipeline.begin(applied, {})

    def snapshot(self, name: str) -> Path:
        """The worker writes its state down."""
        Snapshots(self.folder / name, self.desk.database.clock, "this log").write_now(self.desk.pipeline)
        return self.folder / name

    def last(self) -> list[float]:
        """The windows of the payment that was decided last."""
        return self.seen[max(self.seen)]

    def rows(self) -> list[tuple[int, int, int]]:
        """The label rows of the firm: weight, microseconds from noon, place among its payments or -1."""
        with self.desk.database.transaction(self.desk.firm.tenant.id, self.desk.writer, read_only=True) as tx:
            assert invariants.frauds_are_counted_once(tx) == []
            found = [*label_rows.pinned(tx, ("transaction", 0), 0), *label_rows.waiting(tx)]
        places = {offset: place for place, offset in enumerate(sorted(self.seen))} | {-1: -1}
        noon = int(NOON.timestamp() * 1e6)
        return [(row.weight, row.known_us - noon, places[row.offset]) for row in sorted(found)]

    def erase(self, customer: str) -> dict[str, int]:
        """The job parts a customer from what is kept of them; returns what was changed."""
        with self.desk.database.transaction(self.desk.firm.tenant.id, self.desk.writer) as tx:
            return erasure.part_customer(tx, customer, self.access)

    def names(self) -> set[str]:
        """What the lake's payments still say of people."""
        named = ("customer_id", "account_id", "device_id", "counterparty_id", "card_last4")
        found = self.reader.read(self.desk.firm.tenant.id, f"select {', '.join(named)} from transactions")
        values = {value for column in found.columns for value in column.to_pylist() if value is not None}
        return {value for value in values if not value.startswith("erased-")}

    def differing(self) -> list[str]:
        """What `finer verify` says of the windows."""
        profile = self.desk.firm.tenant
        return _windows(self.desk.database, self.reader, profile.id, profile.timezone)


@pytest.fixture
def scene(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A risk desk with a lake."""
    found = Scene(desk, database_url, tmp_path)
    yield found
    found.writer.close()
    found.reader.close()


def made(number: int, at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """A payment at a time."""
    return payment(number, occurred_at=at.isoformat(), **changes)


def test_a_fraud_counts_from_when_it_is_known_and_no_decision_before_knows_it(scene: Scene) -> None:
    scene.decide(made(1), made(2))
    assert list(scene.seen.values()) == [[0, 0, 0, 0], [0, 0, 0, 0]]
    scene.label("e1", "confirmed_fraud", NOON + timedelta(hours=1))
    # Not yet known at the time of the first; the second is a day later, the third of the same account, the fourth too
    # late for the day, the fifth is at another merchant.
    scene.decide(
        made(3, NOON + timedelta(minutes=59)), made(4, NOON + DAY), made(5, NOON + DAY, account_id="a1"),
        made(6, NOON + DAY + timedelta(hours=1)), made(7, NOON + DAY, merchant_id="m2"),
    )  # fmt: skip
    assert list(scene.seen.values())[2:] == [
        [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0],
    ]  # fmt: skip
    assert scene.rows() == [(1, 3_600_000_000, 2)]
    assert scene.differing() == []


def test_what_is_taken_back_leaves_the_windows_together_with_what_it_takes_back(scene: Scene) -> None:
    scene.decide(made(1))
    scene.label("e1", "confirmed_fraud", NOON)
    scene.decide(made(2, NOON + timedelta(hours=1)))
    assert scene.last() == [1, 1, 1, 0]
    scene.label("e1", "undetermined", NOON + timedelta(hours=2))
    scene.decide(made(3, NOON + timedelta(hours=3)))
    assert scene.last() == [0, 0, 0, 0]
    scene.decide(made(4, NOON + DAY))
    assert scene.last() == [0, 0, 0, 0]
    assert scene.rows() == [(1, 0, 1), (-1, 0, 2)]
    scene.label("e1", "confirmed_fraud", NOON + 2 * DAY)
    scene.decide(made(5, NOON + 2 * DAY))
    assert scene.last() == [1, 1, 1, 0]
    assert scene.rows()[2:] == [(1, 2 * 86_400_000_000, 4)]
    assert scene.differing() == []


def test_labels_that_change_nothing_are_no_rows(scene: Scene) -> None:
    scene.decide(*(made(n) for n in range(1, 5)))
    hour = timedelta(hours=1)
    scene.label("e1", "confirmed_fraud", NOON + 2 * hour)
    scene.label("e1", "confirmed_fraud", NOON + 3 * hour)  # said again
    scene.label("e1", "dismissed", NOON + hour)  # known earlier, told later
    scene.label("e1", "confirmed_fraud", NOON + 2 * hour)  # the same once more
    scene.label("e2", "dismissed", NOON + 3 * hour)
    scene.label("e2", "confirmed_fraud", NOON + 2 * hour)  # overtaken before it was told
    fact = AlertResolved("e3", NOON, "confirmed_fraud", NOON + hour, "chargeback")
    scene.carry(fact, AlertResolved("e3", NOON, "undetermined", NOON + 2 * hour, "chargeback"))
    # Two at one time: the one that was told last decides.
    scene.label("e4", "dismissed", NOON + hour)
    scene.label("e4", "confirmed_fraud", NOON + hour)
    assert scene.rows() == [(1, 7_200_000_000, -1), (1, 3_600_000_000, -1)]


def test_a_label_waits_for_its_payment_to_reach_the_lake_and_not_for_one_that_never_will(scene: Scene) -> None:
    scene.decide(made(1))
    scene.desk.send([made(2)])
    scene.desk.pipeline._lake = cast(Any, Waiting())
    scene.desk.work()
    fact = AlertResolved("e2", NOON, "confirmed_fraud", NOON, "chargeback")
    with pytest.raises(NotInLakeYet, match="not in the lake yet"):
        scene.carry(fact)
    assert scene.rows() == []
    scene.restart()
    scene.desk.work()
    assert scene.writer.flush(240)
    scene.carry(fact, AlertResolved("e99", NOON, "confirmed_fraud", NOON, "chargeback"))
    assert scene.rows() == [(1, 0, -1)]


def test_labels_wait_for_a_slow_lake_however_long(scene: Scene) -> None:
    scene.decide(made(1), made(2, NOON + 9 * DAY))
    desk = scene.desk
    facts = [scene.fact("e2", "confirmed_fraud", NOON), scene.fact("e1", "confirmed_fraud", NOON + DAY)]
    with desk.database.transaction(desk.firm.tenant.id, desk.writer) as tx:
        # To begin with a DuckDB alone takes longer; a test that is held up before that does not.
        tx.connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 50")
        handlers.append_label(tx, facts, scene.access)
    assert scene.rows() == [(1, 0, -1), (1, 86_400_000_000, -1)]


def test_a_payment_that_is_gone_holds_up_no_label_while_others_are_on_their_way(scene: Scene) -> None:
    scene.decide(made(1))
    scene.desk.send([made(2), made(3)])
    scene.desk.pipeline._lake = cast(Any, Waiting())
    scene.desk.work()
    # As after retention: its alert is there, and neither the log nor the lake has it.
    gone = AlertResolved("e99", NOON, "confirmed_fraud", NOON, "chargeback")
    scene.carry(scene.fact("e1", "confirmed_fraud", NOON), gone)
    assert scene.rows() == [(1, 0, -1)]
    with pytest.raises(NotInLakeYet, match=r"^1 labelled payment is not in the lake yet"):
        scene.carry(gone, AlertResolved("e3", NOON, "confirmed_fraud", NOON, "chargeback"))


def test_a_firm_that_sends_nothing_after_a_window_was_added_is_verified_all_the_same(scene: Scene) -> None:
    scene.decide(made(1))
    attachments = Attachments(scene.access, capacity=1, memory_mb=256, create=True)
    with attachments.use(scene.desk.firm.tenant.id) as schema:
        attachments.duckdb.execute(f"alter table {schema}.decisions drop column merchant_frauds_28d")
    attachments.close()
    assert scene.differing() == []
    span = {"since": NOON - DAY, "until": NOON + DAY}
    missing, zone = ["merchant.frauds_28d", "merchant.frauds_7d"], "Asia/Manila"
    for query, arguments in (
        (lake.price_query(["amount_minor"], missing, labelled=False), {"as_of": NOON}),
        (lake.recorded_query(missing), {"events": ["e1"]}),
        (lake.training_query(missing, [], zone, labelled=False), {"as_of": NOON}),
        (lake.watched_query(missing, zone, challenged=False), {"model": "m", "rows": 10}),
    ):
        found = scene.reader.read(scene.desk.firm.tenant.id, query, span | arguments)
        assert found.num_rows == 1
        names = [name for name in found.column_names if "frauds" in name]
        assert [found.column(name).to_pylist() for name in names] == [[None], [0]]


def test_the_log_forgets_the_records_that_rows_stand_before_and_no_snapshot_is_without_them(
    scene: Scene, other_firm: Firm, database_url: str
) -> None:
    scene.desk.send([made(49)], other_firm)
    scene.decide(made(1))
    scene.label("e1", "confirmed_fraud", NOON)
    scene.decide(made(2, NOON + timedelta(hours=1)))
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("delete from kit_log where tenant_id = %s", (scene.desk.firm.tenant.id,))
    # What is read again are records of another firm alone, from before and after; the firm's next comes after that.
    scene.desk.send([made(50)], other_firm)
    scene.restart()
    for name in ("a", "b", "c"):
        scene.desk.work()
        scene.restart(scene.snapshot(name))
    scene.decide(made(3, NOON + timedelta(hours=2)))
    assert scene.last() == [1, 1, 1, 0]
    scene.restart(scene.snapshot("d"))
    scene.decide(made(4, NOON + timedelta(hours=3)))
    assert scene.last() == [1, 1, 1, 0]


def test_windows_from_before_frauds_were_counted_are_told_what_stands_below_their_offset(scene: Scene) -> None:
    scene.decide(made(1))
    scene.label("e1", "confirmed_fraud", NOON)
    scene.decide(made(2, NOON + timedelta(hours=1)))
    consumed = dict(scene.desk.pipeline.consumed)
    scene.restart()
    scene.desk.pipeline.engine = features.Engine(fraud.windows())
    scene.desk.pipeline.begin(consumed, {})
    scene.desk.send([made(3, NOON + timedelta(hours=2), merchant_id="m2", account_id="a1")])
    scene.desk.work()
    assert scene.writer.flush(240)
    assert scene.last() == [0, 0, 0, 1]


class Waiting:
    """A lake that takes nothing."""

    def put(self, _batch: LakeBatch) -> None:
        """Leave a batch where it is."""


def test_a_rule_reads_them_and_a_firm_knows_nothing_of_another(scene: Scene, other_firm: Firm) -> None:
    scene.desk.live("burnt", text("merchant.frauds_7d >= 1 and account.frauds_28d = 0"))
    scene.decide(made(1))
    scene.label("e1", "confirmed_fraud", NOON)
    scene.decide(made(2, NOON + DAY))
    assert scene.desk.alerts()["e2"].verdict.features["merchant.frauds_7d"] == 1
    with scene.desk.database.transaction(other_firm.tenant.id, scene.desk.writer, read_only=True) as tx:
        assert label_rows.waiting(tx) == []
        assert label_rows.pinned(tx, ("transaction", 0), 0) == []


def test_who_holds_an_account_together_with_an_erased_customer_keeps_its_windows(scene: Scene) -> None:
    shared: dict[str, Any] = {"account_id": "joint", "device_id": "tablet", "counterparty_id": "landlord"}
    anna, ben, minute = {"customer_id": "anna"}, {"customer_id": "ben"}, timedelta(minutes=1)
    scene.decide(
        made(1, **anna | shared), made(2, NOON + minute, **ben | shared),
        made(3, NOON + 2 * minute, **anna | shared | {"device_id": "annas-phone", "counterparty_id": "aunt"}),
        made(4, NOON + 3 * minute, **anna, account_id="annas-own"),
        made(5, NOON + 4 * minute, **anna, account_id="annas-own", card_last4="2222"),
        made(6, NOON + 5 * minute, **ben | shared),
    )  # fmt: skip
    scene.label("e1", "confirmed_fraud", NOON + timedelta(hours=1))
    scene.decide(made(7, NOON + timedelta(hours=2), **ben | shared))
    assert scene.last() == [1, 1, 1, 1]
    assert scene.differing() == []
    told = scene.erase("anna")
    assert told["rows of known frauds"] == 0
    assert told["rows of transactions in the lake"] == 4
    scene.decide(made(8, NOON + timedelta(hours=3), **ben | shared))
    assert scene.last() == [1, 1, 1, 1]
    assert scene.differing() == []
    assert scene.names() == {"ben", "joint", "tablet", "landlord", "1111"}
    # With the last of its holders the account goes, also where it had stayed.
    assert scene.erase("ben")["rows of known frauds"] == 1
    assert scene.differing() == []
    assert scene.names() == set()


def test_an_account_that_pays_again_after_it_was_erased_begins_anew(scene: Scene, database_url: str) -> None:
    own: dict[str, Any] = {"account_id": "own", "customer_id": "anna", "device_id": "phone", "counterparty_id": "aunt"}
    joint, hour = own | {"account_id": "joint"}, timedelta(hours=1)
    others = joint | {"customer_id": "ben", "device_id": "tablet"}
    scene.decide(made(1, **own), made(2, **own), made(3, **joint), made(4, **others), made(5))
    scene.label("e1", "confirmed_fraud", NOON)
    scene.decide(made(6, NOON + hour, **own))
    assert scene.last() == [1, 1, 1, 1]
    before = scene.snapshot("before")
    # Her own account with its device and payee, and her device with the account that stays with the other.
    assert scene.erase("anna")["windows"] == 4
    scene.decide(made(7, NOON + 2 * hour, **own), made(8, NOON + 2 * hour, **joint), made(9, NOON + 2 * hour, **others))
    assert list(scene.seen.values())[6:] == [[1, 1, 1, 0]] * 3
    scene.decide(made(10, NOON + 3 * hour, **own))
    assert scene.differing() == []
    after = scene.snapshot("after")
    for number, begun in enumerate((None, before, after), 11):
        scene.restart(begun)
        scene.decide(made(number, NOON + 4 * hour, **own), at_once=number - 10)
        assert scene.differing() == []
    with psycopg.connect(database_url, autocommit=True) as owner:
        query = "select count(*) from fraud_forgotten where tenant_id = %s and log_offset is not null"
        held = owner.execute(query, (scene.desk.firm.tenant.id,)).fetchone()
        # It is kept as long as the log holds what came before, and no longer.
        drop_forgotten(database_url, scene.desk.database)
        assert owner.execute(query, (scene.desk.firm.tenant.id,)).fetchone() == held == (4,)
        owner.execute("delete from kit_log where stream = 'transaction'")
        drop_forgotten(database_url, scene.desk.database)
        assert owner.execute(query, (scene.desk.firm.tenant.id,)).fetchone() == (0,)


@pytest.mark.parametrize("seed", range(3))
def test_any_labels_groups_and_restarts_give_the_windows_of_the_query(scene: Scene, seed: int) -> None:
    random = Random(seed)
    for turn in range(9):
        sent = []
        for place in range(random.randint(4, 18)):
            at = NOON + random.choice([-40, -20, -3, 0, 0, 0, 1]) * DAY - random.random() * 5 * DAY
            who = {"account_id": random.choice(["a1", "a2"]), "merchant_id": random.choice(["m1", "m2"])}
            sent.append(made(100 * turn + place, at, **who))
        scene.decide(*sent, at_once=random.choice([1, 4, 1_000]), bodies=random.randint(1, 4))
        told = []
        for event in random.sample(sorted(scene.events), min(6, len(scene.events))):
            verdict = random.choice(["confirmed_fraud", "confirmed_fraud", "dismissed", "undetermined"])
            told.append(scene.fact(event, verdict, scene.events[event] + random.choice([0, 1, 1, 9]) * DAY))
        cut = random.randint(1, len(told))
        scene.carry(*told[:cut])
        scene.carry(*random.choice([told, told[cut:] or told]))
        begun = random.choice(["on", "on", "empty", "snapshot"])
        if begun != "on":
            scene.restart(None if begun == "empty" else scene.snapshot(f"s{turn}"))
    scene.decide(made(9_999))
    assert scene.again == []
    for at_once in (1, 5, 1_000):
        scene.restart()
        scene.desk.work(at_once)
        assert scene.again == []
    found = np.array(list(scene.seen.values()))
    assert found.max(axis=0).min() >= 2
    assert found.min() >= 0
    assert any(weight < 0 for weight, _, _ in scene.rows())
    assert scene.differing() == []
