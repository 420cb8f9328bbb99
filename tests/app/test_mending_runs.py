"""Acts on many refused records as runs: seen, stopped, repeated, and told to who began them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from finer.app import job_desk
from finer.app.job_types import Ground
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.ingest import invariants
from finer.ingest.service import acts, contracts, parsing, receipts
from finer.ingest.types.quarantine import Act, Selection
from finer.ingest.types.records import Body
from finer.kit import runs
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.errors import Unavailable
from finer.kit.runs import JobRun, RunFilter, RunState
from finer.kit.settings import Settings
from finer.notifications import service as notifications
from tests.ingest.records import line

DANA = Actor(kind="user", id=str(uuid.UUID(int=7)), name="Dana", role="data_engineer")
RECORDS = 10


class Bench:
    """A firm with refused records, and whoever does its runs."""

    def __init__(self, database: Database, tenant: uuid.UUID) -> None:
        self.database, self.tenant = database, tenant
        self.runner = Runner(Ground(database, database.url, Settings()), JOBS)

    def begin(self, kind: acts.Kind, **options: object) -> Act:
        with self.database.transaction(self.tenant, DANA) as tx:
            return acts.start(tx, kind, Selection(contract="transaction"), partitions=1, **options)  # type: ignore[arg-type]

    def act(self, begun: Act) -> Act:
        with self.database.transaction(self.tenant, DANA) as tx:
            return acts.get_act(tx, begun.id)

    def runs(self) -> list[JobRun]:
        with self.database.transaction(self.tenant, DANA) as tx:
            return runs.page(tx, RunFilter(job=acts.JOB), 10)

    def told(self) -> list[str]:
        with self.database.transaction(self.tenant, DANA) as tx:
            return [one.title for one in notifications.list_notifications(tx)[0]]


@pytest.fixture
def bench(
    database: Database, worker_database: Database, tenant: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setattr(acts, "AT_ONCE", 3)
    monkeypatch.setattr(acts, "STEP", 3)
    found = Bench(worker_database, tenant)
    data = b"\n".join(line(event_id=f"e{number}", currency="usd") for number in range(RECORDS))
    with database.transaction(tenant, DANA) as tx:
        parsed = parsing.parse_group(contracts.contract("transaction"), [Body(data=data)], tx.now())
        receipts.append(tx, parsed, 1)
    yield found
    with worker_database.transaction(tenant, DANA) as tx:
        assert invariants.every_refused_record_is_kept(tx) == []


def test_a_large_act_is_a_run_with_its_progress_and_counts(bench: Bench) -> None:
    begun = bench.begin("edit", assignments=[("currency", "upper(currency)")])
    [queued] = bench.runs()
    assert (begun.state, begun.done) == ("running", 3)
    assert (queued.state, queued.queue, queued.asked_by) == (RunState.QUEUED, acts.QUEUE, "Dana")
    bench.runner.run(bench.tenant, queued.id)
    [done] = bench.runs()
    assert (done.state, done.done, done.total) == (RunState.SUCCEEDED, RECORDS, RECORDS)
    assert done.counts == {"records": RECORDS, "changed": RECORDS, "still_broken": 0}
    assert bench.act(begun).state == "done"
    assert bench.told() == [f"Quarantine: {RECORDS} of {RECORDS} records changed"]


def test_stopped_before_it_went_on_the_act_has_ended_and_goes_on_when_it_is_repeated(bench: Bench) -> None:
    begun = bench.begin("discard", reason="Sent by a test of the shop")
    [queued] = bench.runs()
    with bench.database.transaction(bench.tenant, DANA) as tx:
        assert job_desk.cancel(tx, queued.id).state is RunState.CANCELLED
    bench.runner.run(bench.tenant, queued.id)
    stopped = bench.act(begun)
    assert (stopped.state, stopped.done, stopped.finished_at is not None) == ("cancelled", 3, True)
    with bench.database.transaction(bench.tenant, DANA) as tx:
        again = job_desk.retry(tx, queued.id)
    assert again.queue == acts.QUEUE
    bench.runner.run(bench.tenant, again.id)
    assert (bench.act(begun).state, bench.act(begun).changed) == ("done", RECORDS)


def test_an_act_that_somebody_stops_stops_its_run(bench: Bench) -> None:
    begun = bench.begin("discard", reason="Sent by a test of the shop")
    with bench.database.transaction(bench.tenant, DANA) as tx:
        acts.cancel(tx, begun.id)
    bench.runner.run(bench.tenant, bench.runs()[0].id)
    assert bench.runs()[0].state is RunState.CANCELLED
    assert (bench.act(begun).state, bench.act(begun).done) == ("cancelled", 3)


def test_an_act_that_keeps_failing_says_so_and_what_it_did_stands(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = bench.begin("discard", reason="Sent by a test of the shop")
    [queued] = bench.runs()
    carry_on = acts.carry_on

    def fails(*_arguments: object) -> Act:
        raise Unavailable("The disk is full. Make room, then repeat the run.")

    monkeypatch.setattr(acts, "carry_on", fails)
    for attempt in range(JOBS[acts.JOB].attempts):
        assert bench.act(begun).state == "running", attempt
        bench.runner.run(bench.tenant, queued.id)
    failed = bench.act(begun)
    assert (failed.state, failed.error) == ("failed", "The disk is full. Make room, then repeat the run.")
    assert bench.runs()[0].state is RunState.FAILED
    assert any("3 of 10 records discarded" in title for title in bench.told())
    monkeypatch.setattr(acts, "carry_on", carry_on)
    with bench.database.transaction(bench.tenant, DANA) as tx:
        again = job_desk.retry(tx, queued.id)
    bench.runner.run(bench.tenant, again.id)
    assert (bench.act(begun).state, bench.act(begun).changed, bench.act(begun).error) == ("done", RECORDS, "")
