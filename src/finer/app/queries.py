"""Questions of people to the lake: taken, let in when there is room, worked off in the sandbox, kept for who asked.

Every run is a row, so any process can tell how far it is, and two processes never let in more than the firm may have.
Only the process that works a run off can end its sandbox; the others tell it by a notification.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import structlog

from finer.identity.types.access import Principal
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import Database
from finer.kit.errors import FinerError
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.operations.service.rollups import CHANNEL as DASHBOARDS_CHANNEL
from finer.warehouse.errors import SqlCancelled
from finer.warehouse.service import lake as warehouse
from finer.workspace.errors import TooManyQueries
from finer.workspace.service import catalogue, runs, schedules
from finer.workspace.types import CatalogueTable, NewRun, Run, RunState

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_S = 0.1


class Queries:
    """The runs that this process works off."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._access = warehouse.LakeAccess(database.url, settings)
        self._pool = warehouse.Sandboxes(settings.sql_warm_processes)
        self._threads = ThreadPoolExecutor(settings.sql_process_max, thread_name_prefix="sql")
        self._closing = threading.Event()
        self._stops: dict[uuid.UUID, warehouse.Stop] = {}

    async def ask(self, principal: Principal, new: NewRun, wait_s: float) -> Run:
        """Take a question and wait for its answer for a while; the run as it is then."""
        tenant, actor = principal.tenant_id, principal.actor()
        run = await asyncio.to_thread(self._submit, tenant, actor, new)
        if run.over:
            return run
        working = self.work_off(tenant, actor, run)
        await asyncio.wait([asyncio.wrap_future(working)], timeout=wait_s)
        return await asyncio.to_thread(self._look, tenant, actor, run.id)

    def work_off(self, tenant: uuid.UUID, actor: Actor, run: Run) -> Future[None]:
        """Work a run off on a thread, once there is room for it."""
        return self._threads.submit(self._work, tenant, actor, run)

    def run_schedule(self, tenant: uuid.UUID, schedule: uuid.UUID) -> None:
        """Run a schedule as its owner, to its end, and look at the result."""
        with self._database.transaction(tenant, SYSTEM) as tx:
            owner = schedules.owner_of(tx, schedule)
        if owner is None:
            return
        with self._database.transaction(tenant, owner) as tx:
            run = schedules.begin(tx, schedule)
        if run is None:
            return
        self.work_off(tenant, owner, run).result()
        with self._database.transaction(tenant, owner) as tx:
            schedules.judge(tx, schedule, run.id)

    def tables(self, tx: Tx) -> list[CatalogueTable]:
        """What there is to ask, as the caller sees it."""
        return catalogue.list_tables(tx, self._access)

    def stop(self, payload: str) -> None:
        """Somebody cancelled a run; it may be one of this process. An empty payload says nothing of any run."""
        if payload and (found := self._stops.get(uuid.UUID(payload))) is not None:
            found.stop()

    def close(self) -> None:
        """End what is under way."""
        self._closing.set()
        for one in list(self._stops.values()):
            one.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._pool.close()

    def _submit(self, tenant: uuid.UUID, actor: Actor, new: NewRun) -> Run:
        with self._database.transaction(tenant, actor) as tx:
            return runs.submit(tx, new)

    def _look(self, tenant: uuid.UUID, actor: Actor, identifier: uuid.UUID) -> Run:
        with self._database.transaction(tenant, actor, read_only=True) as tx:
            return runs.get_run(tx, identifier)

    def _work(self, tenant: uuid.UUID, actor: Actor, run: Run) -> None:
        stop = self._stops[run.id] = warehouse.Stop()
        try:
            self._run(tenant, actor, run, stop)
        except FinerError as error:
            if not isinstance(error, SqlCancelled) or self._closing.is_set():
                self._fail(tenant, actor, run, error)
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to hear that it is over
            _log.exception("a query failed in an unforeseen way", run=str(run.id))
            self._fail(tenant, actor, run, FinerError(f"Something went wrong on our side ({type(error).__name__})."))
        finally:
            del self._stops[run.id]

    def _run(self, tenant: uuid.UUID, actor: Actor, run: Run, stop: warehouse.Stop) -> None:
        if not self._let_in(tenant, actor, run):
            return
        with self._database.transaction(tenant, actor, read_only=True) as tx:
            statement, values = runs.bindings(tx, run)
            secret, shown = runs.token_secret(tx), catalogue.shown_to(tx)
        result = warehouse.sql(
            self._access,
            tenant,
            statement,
            rows_max=run.rows_max,
            bytes_max=runs.BYTES_MAX,
            as_of=run.as_of,
            parameters=values,
            shown=shown,
            secret=secret,
            pool=self._pool,
            stop=stop,
        )
        with self._database.transaction(tenant, actor) as tx:
            runs.finish(tx, run, result)
            _tell_dashboards(tx, run)

    def _let_in(self, tenant: uuid.UUID, actor: Actor, run: Run) -> bool:
        """Wait for room; False when the run was cancelled meanwhile. Raises TooManyQueries when it takes too long."""
        waited = timedelta(0)
        while waited < runs.WAIT_MAX:
            with self._database.transaction(tenant, actor) as tx:
                if runs.claim(tx, run, self._settings):
                    return True
                if runs.get_run(tx, run.id).state is not RunState.QUEUED:
                    return False
            if self._closing.wait(_LOOK_AGAIN_S):
                raise TooManyQueries("Finer was stopped before the query began. Run it again.", retry_after_s=5)
            waited += timedelta(seconds=_LOOK_AGAIN_S)
        raise TooManyQueries("There was no room for the query within two minutes. Run it again.", retry_after_s=30)

    def _fail(self, tenant: uuid.UUID, actor: Actor, run: Run, error: FinerError) -> None:
        with self._database.transaction(tenant, actor) as tx:
            runs.fail(tx, run, error)
            _tell_dashboards(tx, run)


def _tell_dashboards(tx: Tx, run: Run) -> None:
    """A saved query has another newest result: whoever looks at a tile of it sees that at the next tick."""
    if run.saved_id is not None:
        tx.notify(DASHBOARDS_CHANNEL, [str(tx.tenant)])
