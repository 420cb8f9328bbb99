"""Job workers hear of new jobs by a listener that they share."""

from __future__ import annotations

import asyncio

import procrastinate

from finer.app.job_connector import JobConnector
from finer.kit.db import WORKER, url_for_role
from finer.kit.live import Listener

_NEVER_S = 3600.0
_PATIENCE_S = 20.0


def test_each_worker_is_told_of_the_jobs_of_its_queues(database_url: str) -> None:
    """The workers look by themselves once an hour, so that what is done is what they were told of."""

    async def work() -> None:
        connector = JobConnector(url_for_role(database_url, WORKER), connections=6)
        app = procrastinate.App(connector=connector)
        finished = {queue: asyncio.Event() for queue in ("test-left", "test-right")}

        @app.task(name="finer.test_told", pass_context=True)
        async def told(context: procrastinate.JobContext) -> None:
            finished[str(context.job.queue)].set()

        async with app.open_async():
            workers = [
                asyncio.create_task(
                    app.run_worker_async(
                        queues=[queue], install_signal_handlers=False, fetch_job_polling_interval=_NEVER_S,
                        delete_jobs="always",
                    )
                )
                for queue in finished
            ]  # fmt: skip
            listener = Listener(database_url, WORKER, connector.handlers(finished))
            listener.start()
            try:
                for queue, event in finished.items():
                    # The first may be found by the worker's only look, those behind it are told of.
                    for _ in range(3):
                        event.clear()
                        await told.configure(queue=queue).defer_async()
                        await asyncio.wait_for(event.wait(), _PATIENCE_S)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
                await asyncio.to_thread(listener.close)

    asyncio.run(work())
