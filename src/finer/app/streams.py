"""The live streams: server-sent events of alerts, of notifications and of the pipeline."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Controller, Request, get
from litestar.response import Stream

from finer.app.live import Message, sse
from finer.app.live_response import LiveStream
from finer.app.monitoring import pipeline_view
from finer.decisions.routes.documents import show_alert, show_summary
from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Alert, AlertState
from finer.fraud.service import verdicts as fraud
from finer.identity.routes.edge import credential_of
from finer.identity.service.authorisation import masking_of, reach_of
from finer.identity.types.access import Permission, Principal
from finer.kit.actors import SYSTEM
from finer.kit.masking import Masking, mask
from finer.kit.reach import Reach
from finer.notifications import service as notifications
from finer.notifications.routes import show_notification
from finer.notifications.types import Audience, Notification

if TYPE_CHECKING:
    from finer.app.api import Services

_ALERTS_PER_TICK = 100
_NOTIFICATIONS_PER_TICK = 50
_NO_CACHE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def described(events: Mapping[str, str | None], *, resumes: bool = False) -> dict[str, Any]:
    """What OpenAPI says of a stream: its events by name, each with the schema of its data (None: no data)."""
    schemas = {
        name: {"type": "object"} if schema is None else {"$ref": f"#/components/schemas/{schema}"}
        for name, schema in events.items()
    }
    schemas["heartbeat"] = {"type": "object"}  # every stream says every 15 seconds that it is there
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
        audience = _audience(request.user)
        alive = _alive(services, request, _audience)
        return _stream(services.alerts.stream(request.user.tenant_id, since, alive, audience))

    @get(
        "/notifications/stream",
        opt={
            "permission": Permission.SESSION_OWN,
            "unattended": True,
            "describe": described({"notification": "Notification", "resync": None}, resumes=True),
        },
        summary="Live notifications",
    )
    async def notifications(self, request: Request[Principal, Any, Any], services: Any) -> Stream:
        """Events `notification` (new or changed, for the caller) and `resync`. Resumes from Last-Event-ID."""
        last = request.headers.get("last-event-id", "")
        since = int(last) if last.isdigit() else None
        audience = _bell(request.user)
        alive = _alive(services, request, _bell)
        return _stream(services.notifications.stream(request.user.tenant_id, since, alive, audience))

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
    return LiveStream(messages, _NO_CACHE)


def _alive(
    services: Any, request: Request[Principal, Any, Any], audience_of: Callable[[Principal], Any] | None = None
) -> Callable[[], Awaitable[bool]]:
    """The question that a stream asks before each message: whether this session or key is still good.

    Asking does not keep the session alive: an open page that nobody works with is signed out like a closed one. A
    stream whose viewer may see something else than at its beginning ends; the viewer opens it anew.
    """
    credential, _ = credential_of(request)
    audience = None if audience_of is None else audience_of(request.user)

    async def alive() -> bool:
        known, principal = services.authenticator.remembered(credential)
        if not known:
            principal = await asyncio.to_thread(services.authenticator.look_up, credential, touch=False)
        if principal is None or request.route_handler.opt["permission"] not in principal.permissions:
            return False
        return audience_of is None or audience_of(principal) == audience

    return alive


class AlertAudience(msgspec.Struct, frozen=True):
    """What tells viewers of alerts apart: the alerts they reach, how these are masked, and whether they see sums."""

    reach: Reach
    masking: Masking
    summaries: bool


def _audience(principal: Principal) -> AlertAudience:
    actor = principal.actor()
    return AlertAudience(
        reach=reach_of(actor, Permission.ALERTS_READ),
        masking=masking_of(actor),
        summaries=principal.may(Permission.ALERTS_SUMMARISE),
    )


class AlertMessage:
    """A new or changed alert, for each viewer as they may see it: encoded once for every way of masking."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._shown = show_alert(alert)
        self._encoded: dict[int, bytes] = {}

    def __call__(self, audience: AlertAudience) -> bytes | None:
        """The event for these viewers; None for an alert that they do not reach."""
        if not decisions.covers(audience.reach, self._alert):
            # An open alert that was changed was given to somebody: whoever reached it before has to look again.
            given_away = self._alert.state is AlertState.OPEN and self._alert.version > 1
            return sse("resync", b"{}") if given_away else None
        # The maskings are those of the grants table: a handful of objects that live as long as the process.
        key = id(audience.masking)
        if key not in self._encoded:
            document = msgspec.json.encode(mask(self._shown, audience.masking))
            self._encoded[key] = sse("alert", document, str(self._alert.sequence))
        return self._encoded[key]


def _bell(principal: Principal) -> Audience:
    return notifications.audience_of(principal.actor())


class NotificationMessage:
    """A new or changed notification, for those whom it is for; encoded once for all of them.

    The stream does not know who has read what: a page that shows a notification keeps its own mark, and fetches the
    list where it has none.
    """

    def __init__(self, one: Notification) -> None:
        self._one = one
        self._encoded: bytes | None = None

    def __call__(self, audience: Audience) -> bytes | None:
        """The event for this person; None for what is for others."""
        if not audience.sees(self._one):
            return None
        if self._encoded is None:
            document = msgspec.json.encode(show_notification(self._one))
            self._encoded = sse("notification", document, str(self._one.sequence))
        return self._encoded


def notification_snapshot(services: Services, tenant: uuid.UUID, since: int | None) -> tuple[list[Message], int | None]:
    """What is new for the bells of one tenant, and the sequence reached: one query for all of them."""
    with services.database.transaction(tenant, SYSTEM, read_only=True) as tx:
        if since is None:
            return [], notifications.last_sequence(tx)
        found = notifications.changed_notifications(tx, since, _NOTIFICATIONS_PER_TICK + 1)
        if len(found) > _NOTIFICATIONS_PER_TICK:
            reached = notifications.last_sequence(tx)
            return [_again(reached)], reached
    return [NotificationMessage(one) for one in found], max([since, *(one.sequence for one in found)])


def alert_snapshot(services: Services, tenant: uuid.UUID, since: int | None) -> tuple[list[Message], int | None]:
    """What is new for the viewers of one tenant, and the sequence reached: one query for all of them."""
    titles = {rule.id: rule.title for rule in fraud.list_rules()}
    with services.database.transaction(tenant, SYSTEM, read_only=True) as tx:
        messages: list[Message] = []
        if since is None:
            since = decisions.last_sequence(tx)
        elif len(found := decisions.changed_alerts(tx, since, _ALERTS_PER_TICK + 1)) > _ALERTS_PER_TICK:
            since = decisions.last_sequence(tx)
            messages = [_again(since)]
        else:
            messages = [AlertMessage(alert) for alert in found]
            since = max([since, *(alert.sequence for alert in found)])
        summary = show_summary(decisions.summarise(tx), lambda rule: titles.get(rule, rule))
    told = sse("summary", msgspec.json.encode(summary))

    def sums(audience: AlertAudience) -> bytes | None:
        return told if audience.summaries else None

    return [*messages, sums], since


def _again(reached: int) -> bytes:
    """More has changed than is sent one by one: the viewer fetches again, and resumes behind all of it."""
    return sse("resync", b"{}", str(reached))


def pipeline_snapshot(services: Services, tenant: uuid.UUID) -> tuple[list[bytes], None]:
    """The pipeline's document for the viewers of one tenant."""
    with services.database.transaction(tenant, SYSTEM, read_only=True) as tx:
        document = pipeline_view(tx)
    return [sse("pipeline", msgspec.json.encode(document))], None
