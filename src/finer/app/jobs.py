"""`finer jobs`: what happens later or on a schedule, as durable jobs in PostgreSQL (procrastinate).

Ticks of schedules and the runs of jobs go through the queue: runs that ticks, people, services and facts ask for. Most
runs have a worker of their own, so that a long one keeps no fact waiting, nor somebody who mends records.
"""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import procrastinate
import structlog

from finer.app.alert_explainer import AlertExplainer
from finer.app.audit_keeper import AuditKeeper, verify_chain
from finer.app.case_keeper import CaseKeeper
from finer.app.flow import QUEUE as FACTS
from finer.app.flow import deliver
from finer.app.job_connector import JobConnector
from finer.app.job_types import Ground, Job
from finer.app.keys import keyring, prove_keys
from finer.app.log_partitions import prepare_log
from finer.app.process import database_url, settle
from finer.app.quality_watch import QualityWatch
from finer.app.queries import Queries
from finer.app.rollup_keeper import RollupKeeper
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.app.trials import try_draft
from finer.decisions.service.alerts import CHANNEL as ALERTS_CHANNEL
from finer.identity.service import chain
from finer.ingest.service import acts, drafts
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, WORKER, Database, url_for_role
from finer.kit.live import Listener
from finer.kit.settings import Settings
from finer.warehouse.service import lake as warehouse
from finer.workspace.service import schedules

_log = structlog.get_logger(__name__)
_AT_ONCE = 2
_TROUBLE: tuple[type[Exception], ...] = (*DATABASE_GONE, procrastinate.exceptions.ConnectorException)
_WATCH_S = 60.0
_STALLED_S = 60.0
"""How long a process says nothing until what it was doing is given to another one."""


class Jobs:
    """The job workers of this process and the tasks they know."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url, _ = database_url(settings)
        self._database = Database(self._url, WORKER, connections=6, deliver=deliver, keys=keyring(settings))
        self._ground = Ground(self._database, self._url, settings)
        self._runner = Runner(self._ground, JOBS)
        self._queries = Queries(self._database, settings)
        # One thread: what people wait for goes first, and a look reads a few seconds' worth of records.
        self._lake = warehouse.LakeReader(self._url, settings, memory_mb=256, threads=1)
        self._connector = JobConnector(url_for_role(self._url, WORKER), connections=8)
        self.app = procrastinate.App(connector=self._connector)
        self._declare()

    def run(self) -> None:
        """Work until SIGTERM; what is under way is finished first."""
        prove_keys(self._database)
        prepare_log(self._url, self._database.clock.now())
        settle()
        asyncio.run(self._serve())
        self._queries.close()
        self._lake.close()
        self._database.close()

    async def _serve(self) -> None:
        async with self.app.open_async():
            queues = {task.queue for task in self.app.tasks.values()} | {job.queue for job in JOBS.values()}
            others = sorted(queues - {runs.QUEUE} | {"default"})
            workers = [asyncio.create_task(self._worker(queues)) for queues in ([runs.QUEUE], others)]
            cases = CaseKeeper(self._database)
            listener = Listener(self._url, WORKER, {ALERTS_CHANNEL: cases.mark, **self._connector.handlers(queues)})
            listener.start()
            helpers = [
                asyncio.create_task(AuditKeeper(self._database, self._settings).run()),
                asyncio.create_task(cases.run()),
                asyncio.create_task(self._watch()),
                asyncio.create_task(QualityWatch(self._database, self._lake).run()),
                asyncio.create_task(AlertExplainer(self._database, self._lake).run()),
                asyncio.create_task(RollupKeeper(self._database, self._url).run()),
            ]
            loop = asyncio.get_running_loop()

            def stop() -> None:
                for worker in workers:
                    worker.cancel()

            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop)
            ended, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            # A worker that an error of the database ended leaves its queues to nobody: the process ends with it, and is
            # started again.
            stop()
            await asyncio.gather(*workers, return_exceptions=True)
            for helper in helpers:
                helper.cancel()
            await asyncio.to_thread(listener.close)
            for worker in ended:
                if not worker.cancelled():
                    worker.result()

    async def _worker(self, queues: list[str]) -> None:
        await self.app.run_worker_async(
            queues=queues,
            concurrency=_AT_ONCE,
            install_signal_handlers=False,
            listen_notify=True,
            shutdown_graceful_timeout=10,
            # What became of a run is in its own row, of a fact in what its handler did.
            delete_jobs="successful",
        )

    async def _watch(self) -> None:
        """Catch up what was missed, then look every minute for what stands still or takes too long."""
        caught_up = False
        while True:
            try:
                if not caught_up:
                    await asyncio.to_thread(self._runner.catch_up)
                    caught_up = True
                for stalled in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_S):
                    _log.warning("a process went away during its work; it is done again", task=stalled.task_name)
                    await self.app.job_manager.retry_job(stalled)
                await asyncio.to_thread(self._runner.watch)
            except _TROUBLE as error:
                _log.warning("the runs of jobs could not be watched", error=str(error))
            await asyncio.sleep(_WATCH_S)

    def _declare(self) -> None:
        retry = procrastinate.RetryStrategy(max_attempts=8, exponential_wait=2)
        self.app.task(name=chain.VERIFY_TASK, queue="audit", retry=retry)(self._carry_on_verification)
        self.app.task(name=schedules.TASK, queue=runs.QUEUE)(self._run_sql_schedule)
        self.app.task(name=drafts.TRY_TASK, queue="trials", retry=retry)(self._try_contract)
        self.app.task(name=runs.TASK, queue=runs.QUEUE, retry=retry)(self._run_job)
        # What an earlier version left in the queue becomes a run.
        self.app.task(name="finer.handle_fact", queue=FACTS, retry=retry)(self._take_over_fact)
        self.app.task(name="finer.carry_on_quarantine", queue=acts.QUEUE, retry=retry)(self._take_over_act)
        for job in JOBS.values():
            if job.cron is not None:
                name = f"finer.{job.name}"
                declare = self.app.task(name=name, queue="schedule", queueing_lock=name, lock=name)
                self.app.periodic(cron=job.cron)(declare(_ticking(self._runner, job)))

    def _take_over_fact(
        self, tenant: str, actor: dict[str, Any], fact: str, handler: str, body: dict[str, Any]
    ) -> None:
        arguments = {"actor": actor, "fact": fact, "body": body}
        with self._database.transaction(uuid.UUID(tenant), SYSTEM) as tx:
            runs.start(tx, handler.partition(".")[2], arguments=arguments, queue=FACTS)

    def _take_over_act(self, tenant: str, act: str, actor: dict[str, Any]) -> None:
        with self._database.transaction(uuid.UUID(tenant), SYSTEM) as tx:
            runs.start(tx, acts.JOB, arguments={"act": act, "actor": actor}, queue=acts.QUEUE)

    def _carry_on_verification(self, tenant: str, run: str) -> None:
        firm = uuid.UUID(tenant)
        with self._database.transaction(firm, SYSTEM, read_only=True) as tx:
            found = chain.get_verification(tx, uuid.UUID(run))
        verify_chain(self._database, self._settings, firm, found)

    def _run_sql_schedule(self, tenant: str, schedule: str) -> None:
        self._queries.run_schedule(uuid.UUID(tenant), uuid.UUID(schedule))

    def _try_contract(self, tenant: str, version: str, revision: int) -> None:
        reader = warehouse.LakeReader(self._url, self._settings)
        try:
            try_draft(self._database, reader, uuid.UUID(tenant), uuid.UUID(version), revision)
        finally:
            reader.close()

    def _run_job(self, tenant: str, run: str) -> None:
        self._runner.run(uuid.UUID(tenant), uuid.UUID(run))


def _ticking(runner: Runner, job: Job) -> Callable[[int], None]:
    # The queue hands over the second it was due at, and by this name.
    def tick(timestamp: int) -> None:
        runner.tick(job, datetime.fromtimestamp(timestamp, UTC))

    return tick
