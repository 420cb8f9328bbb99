"""The live streams: server-sent events of alerts and of the pipeline."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Controller, Request, get
from litestar.response import Stream

from finer.app.live import sse
from finer.app.monitoring import pipeline_view
from finer.decisions import service as decisions
from finer.decisions.routes.documents import show_alert, show_summary
from finer.fraud import service as fraud
from finer.identity.routes.edge import credential_of
from finer.identity.types import Permission, Principal
from finer.kit.actors import SYSTEM

if TYPE_CHECKING:
    from finer.app.api import Services

_ALERTS_PER_TICK = 100
_NO_CACHE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def described(events: Mapping[str, str | None], *, resumes: bool = False) -> dict[str, Any]:
    """What OpenAPI says of a stream: its events by name, each with the schema of its data (None: no data)."""
    schemas = {
        name: {"type": "object"} if schema is None else {"$ref": f"#/components/schemas/{schema}"}
        for name, schema in events.items()
    }
    content = {"schema": {"type": "string", "x-events": schemas}}
    found: dict[str, Any] = {
        "responses": {"200": {"description": "Server-sent events.", "content": {"text/event-stream": content}}}
    }
    if resumes:
        about = "The id of the last event that was seen; what changed since then is sent first."
        header = {"name": "Last-Event-ID", "in": "header", "description": about, "schema": {"type": "string"}}
        found["parameters"] = [header]
    return found


class StreamController(Controller):
    """Server-sent events; each event's data is one JSON document."""

    path = "/api/v1"
    tags = ["Live"]

    @get(
        "/alerts/stream",
        opt={
            "permission": Permission.ALERTS_READ,
            "unattended": True,
            "describe": described({"alert": "Alert", "summary": "AlertSummary", "resync": None}, resumes=True),
        },
        summary="Live alerts",
    )
    async def alerts(self, request: Request[Principal, Any, Any], services: Any) -> Stream:
        """Events `alert` (new or changed), `summary`, and `resync` (fetch again). Resumes from Last-Event-ID."""
        last = request.headers.get("last-event-id", "")
        since = int(last) if last.isdigit() else None
        return _stream(services.alerts.stream(request.user.tenant_id, since, _alive(services, request)))

    @get(
        "/pipeline/stream",
        opt={
            "permission": Permission.PIPELINE_READ,
            "unattended": True,
            "describe": described({"pipeline": "Pipeline"}),
        },
        summary="Live pipeline",
    )
    async def pipeline(self, request: Request[Principal, Any, Any], services: Any) -> Stream:
        """Event `pipeline` every second: the document of GET /pipeline."""
        return _stream(services.pipeline.stream(request.user.tenant_id, None, _alive(services, request)))


def _stream(messages: AsyncIterator[bytes]) -> Stream:
    return Stream(messages, media_type="text/event-stream", headers=_NO_CACHE)


def _alive(services: Any, request: Request[Principal, Any, Any]) -> Callable[[], Awaitable[bool]]:
    """The question that a stream asks before each message: whether this session or key is still good.

    Asking does not keep the session alive: an open page that nobody works with is signed out like a closed one.
    """
    credential, _ = credential_of(request)

    async def alive() -> bool:
        known, principal = services.authenticator.remembered(credential)
        if not known:
            principal = await asyncio.to_thread(services.authenticator.look_up, credential, touch=False)
        return principal is not None

    return alive


def alert_snapshot(services: Services, tenant: uuid.UUID, since: int | None) -> tuple[list[bytes], int | None]:
    """What is new for the viewers of one tenant, and the sequence reached."""
    titles = {rule.id: rule.title for rule in fraud.list_rules()}
    with services.database.transaction(tenant, SYSTEM, read_only=True) as tx:
        if since is None:
            since = decisions.last_sequence(tx)
            found = []
        else:
            found = decisions.changed_alerts(tx, since, _ALERTS_PER_TICK)
        summary = show_summary(decisions.summarise(tx), lambda rule: titles.get(rule, rule))
    messages = [sse("alert", msgspec.json.encode(show_alert(alert)), str(alert.sequence)) for alert in found]
    messages.append(sse("summary", msgspec.json.encode(summary)))
    return messages, max([since, *(alert.sequence for alert in found)])


def pipeline_snapshot(services: Services, tenant: uuid.UUID) -> tuple[list[bytes], None]:
    """The pipeline's document for the viewers of one tenant."""
    with services.database.transaction(tenant, SYSTEM, read_only=True) as tx:
        document = pipeline_view(tx)
    return [sse("pipeline", msgspec.json.encode(document))], None
