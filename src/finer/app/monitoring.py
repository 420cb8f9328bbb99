"""Health, metrics and the pipeline's own page: what several domains know, put side by side."""

from __future__ import annotations

import hmac
import os
from datetime import datetime
from typing import Any, Literal

import msgspec
import prometheus_client
import structlog
from litestar import Controller, Request, Response, get

from finer.identity.types.access import Permission
from finer.ingest.service import activity
from finer.ingest.types.receipts import READER, ContractCounts, Latency, Throughput
from finer.kit.database_gone import DatabaseGone
from finer.kit.errors import Forbidden, Unavailable
from finer.kit.log import PostgresLog
from finer.kit.tx import Tx
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import Freshness

_log = structlog.get_logger(__name__)
_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")
BACKLOG = prometheus_client.Gauge("finer_backlog_events", "Events in the log that no worker has taken yet")
SET_ASIDE = prometheus_client.Gauge("finer_log_records_set_aside", "Records that could not be processed")
STREAMS = prometheus_client.Gauge("finer_live_streams", "Open live streams of this process")


class Lag(msgspec.Struct, frozen=True):
    """Events of the firm in the log that the pipeline has not finished."""

    events: int


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """Throughput, latency, lag, freshness, and what was accepted, duplicate or quarantined, by contract."""

    as_of: datetime
    contracts: list[ContractCounts]
    throughput: list[Throughput]
    latency: Latency
    freshness: list[Freshness]
    lag: Lag


class Liveness(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"]
    pid: int


class Readiness(msgspec.Struct, frozen=True):
    """The process can serve; `backlog_events` wait to be decided."""

    status: Literal["ready"]
    backlog_events: int


def pipeline_view(tx: Tx) -> Pipeline:
    """The pipeline of the tenant now."""
    seen = activity.activity(tx)
    return Pipeline(
        as_of=tx.now(),
        contracts=seen.contracts,
        throughput=seen.throughput,
        latency=seen.latency,
        freshness=warehouse.freshness(tx),
        lag=Lag(PostgresLog.waiting(tx.connection, READER)),
    )


class MonitoringController(Controller):
    """The system about itself."""

    path = "/"
    tags = ["System"]

    @get(
        "/api/v1/pipeline",
        opt={"permission": Permission.PIPELINE_READ},
        sync_to_thread=True,
        summary="The pipeline now",
    )
    def pipeline(self, tx: Tx) -> Pipeline:
        """Throughput, latency, lag, freshness, and counts by contract of the last 24 hours."""
        return pipeline_view(tx)

    @get("/api/v1/health/live", opt={"permission": "public", "any_host": True}, summary="Is the process alive")
    async def live(self) -> Liveness:
        """Answers as long as the process can answer."""
        return Liveness("alive", os.getpid())

    @get(
        "/api/v1/health/ready",
        opt={"permission": "public", "any_host": True},
        sync_to_thread=True,
        summary="Can it serve",
    )
    def ready(self, services: Any) -> Readiness:
        """Whether the database answers and the process is not about to stop; 503 otherwise."""
        if services.draining:
            raise Unavailable("This process is about to stop. Ask another one.")
        try:
            with services.database.engine.connect() as connection:
                connection.exec_driver_sql("select 1")
        except Exception as error:
            # Anybody may ask: where the database is, and as whom it is asked, is said in the log alone.
            _log.warning("the database does not answer", error=str(error).partition("\n")[0])
            raise DatabaseGone from error
        return Readiness("ready", services.ingestion.backlog_events)

    @get("/metrics", opt={"permission": "public", "any_host": True}, sync_to_thread=True, include_in_schema=False)
    def metrics(self, request: Request[Any, Any, Any], services: Any) -> Response[bytes]:
        """Prometheus metrics of this process, for this machine or with the metrics token."""
        token = services.settings.metrics_token
        client = request.client.host if request.client is not None else ""
        # What a proxy on this machine passes on comes from this machine too, and only its headers tell.
        near = client in _LOOPBACK and not any(name in request.headers for name in _FORWARDED)
        sent = request.headers.get("authorization", "").encode()
        if not near and not (token and hmac.compare_digest(sent, f"Bearer {token}".encode())):
            raise Forbidden("Metrics are for this machine. Set FINER_METRICS_TOKEN to read them from another one.")
        BACKLOG.set(services.ingestion.backlog_events)
        SET_ASIDE.set(services.ingestion.set_aside_records)
        STREAMS.set(services.alerts.viewers() + services.pipeline.viewers() + services.boards.viewers())
        return Response(prometheus_client.generate_latest(), media_type="text/plain; version=0.0.4")
