"""`finer jobs`: what happens later or on a schedule, as durable jobs in PostgreSQL (procrastinate)."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import procrastinate
import structlog

from finer.app import key_upkeep
from finer.app.audit_keeper import AuditKeeper, verify_chain, verify_new
from finer.app.flow import deliver, find
from finer.app.keys import keyring, prove_keys
from finer.app.log_upkeep import prepare_log, trim_log
from finer.app.process import settle
from finer.app.supervisor import database_url
from finer.app.verify import verify
from finer.identity.service import chain, denials, housekeeping, tenants
from finer.ingest.service import receipts
from finer.kit import idempotency
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, WORKER, Database, url_for_role
from finer.kit.settings import Settings
from finer.notifications import service as notifications
from finer.privacy.service import retention
from finer.warehouse import service as warehouse

_log = structlog.get_logger(__name__)


class Jobs:
    """The job worker of this process and the tasks it knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url, _ = database_url(settings)
        self._database = Database(self._url, WORKER, connections=4, deliver=deliver, keys=keyring(settings))
        connector = procrastinate.PsycopgConnector(conninfo=url_for_role(self._url, WORKER), max_size=6)
        self.app = procrastinate.App(connector=connector)
        self._declare()

    def run(self) -> None:
        """Work until SIGTERM; a job under way is finished first."""
        prove_keys(self._database)
        prepare_log(self._url, self._database.clock.now())
        settle()
        asyncio.run(self._serve())
        self._database.close()

    async def _serve(self) -> None:
        async with self.app.open_async():
            task = asyncio.create_task(
                self.app.run_worker_async(
                    concurrency=2, install_signal_handlers=False, listen_notify=True, shutdown_graceful_timeout=10
                )
            )
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, task.cancel)
            keeper = asyncio.create_task(AuditKeeper(self._database, self._settings).run())
            await asyncio.gather(task, return_exceptions=True)
            keeper.cancel()

    def _declare(self) -> None:
        retry = procrastinate.RetryStrategy(max_attempts=8, exponential_wait=2)
        self.app.task(name="finer.handle_fact", queue="facts", retry=retry)(self._handle_fact)
        self.app.task(name=chain.VERIFY_TASK, queue="audit", retry=retry)(self._carry_on_verification)
        schedule: list[tuple[str, Callable[[], None]]] = [
            ("*/10 * * * *", self._compact_lake),
            ("7 * * * *", self._keep_log),
            ("23 * * * *", self._verify),
            ("*/15 * * * *", self._forget),
            ("*/10 * * * *", self._verify_new_audit),
            ("37 2 * * *", self._verify_whole_audit),
            ("41 * * * *", self._keep_keys),
            ("11 3 * * *", self._retain),
        ]
        for cron, function in schedule:
            name = f"finer.{function.__name__.lstrip('_')}"
            declare = self.app.task(name=name, queue="schedule", queueing_lock=name, lock=name)
            self.app.periodic(cron=cron)(declare(_scheduled(name, function)))

    def _handle_fact(self, tenant: str, actor: dict[str, Any], fact: str, handler: str, body: dict[str, Any]) -> None:
        found, happened, who = find(fact, handler, body, actor)
        with self._database.transaction(uuid.UUID(tenant), who) as tx:
            found(tx, happened, self._lake())

    def _lake(self) -> warehouse.LakeAccess:
        return warehouse.LakeAccess(self._url, self._settings)

    def _compact_lake(self) -> None:
        self._for_each_tenant("compact_lake", lambda tenant: warehouse.compact(self._lake(), tenant))

    def _keep_log(self) -> None:
        prepare_log(self._url, self._database.clock.now())
        before = self._database.clock.now() - timedelta(hours=self._settings.log_retention_hours)
        dropped = trim_log(self._url, before, lambda tenant: warehouse.lake_offsets(self._lake(), tenant))
        _log.info("log partitions dropped", partitions=dropped)

    def _verify(self) -> None:
        found = verify(self._url, self._settings)
        if found:
            _log.error("invariants are broken", violations=found[:50])

    def _retain(self) -> None:
        for tenant in self._tenants():
            with self._database.transaction(tenant, SYSTEM) as tx:
                retention.run(tx)

    def _keep_keys(self) -> None:
        key_upkeep.keep(self._database, self._tenants(), self._settings.data_key_days)

    def _forget(self) -> None:
        def forget(tenant: uuid.UUID) -> None:
            with self._database.transaction(tenant, SYSTEM) as tx:
                receipts.forget_old(tx)
                idempotency.forget_old(tx)
                notifications.forget_old(tx)
                housekeeping.forget_old(tx, self._settings)
                denials.forget_reads(tx)

        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            housekeeping.forget_attempts(tx)

        self._for_each_tenant("forget", forget)

    def _carry_on_verification(self, tenant: str, run: str) -> None:
        firm = uuid.UUID(tenant)
        with self._database.transaction(firm, SYSTEM, read_only=True) as tx:
            found = chain.get_verification(tx, uuid.UUID(run))
        verify_chain(self._database, self._settings, firm, found)

    def _verify_new_audit(self) -> None:
        verify_new(self._database, self._settings, incremental=True)

    def _verify_whole_audit(self) -> None:
        verify_new(self._database, self._settings, incremental=False)

    def _for_each_tenant(self, job: str, work: Callable[[uuid.UUID], object]) -> None:
        for tenant in self._tenants():
            try:
                work(tenant)
            except Exception:  # noqa: BLE001 - what is wrong with one firm must not keep the others waiting
                _log.exception("a scheduled job failed for one firm", job=job, tenant=str(tenant))

    def _tenants(self) -> list[uuid.UUID]:
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            return [tenant.id for tenant in tenants.list_tenants(tx)]


def _scheduled(name: str, function: Callable[[], None]) -> Callable[[int], None]:
    # The queue hands over the second it was due at, and by this name.
    def run(timestamp: int) -> None:
        _log.debug("scheduled job", job=name, due=timestamp)
        function()

    return run
