"""`finer api`: the HTTP process. Wires routes, services and live streams; holds no rule of its own."""

from __future__ import annotations

import asyncio
import signal
import threading
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException

from finer.app import idempotency, monitoring, openapi
from finer.app.access_log import AccessLog
from finer.app.authentication import Authenticator, isolation_problems
from finer.app.board_routes import ROUTES as BOARD_ROUTES
from finer.app.contracts import Registry
from finer.app.dashboard_routes import ROUTES as DASHBOARD_ROUTES
from finer.app.dashboard_routes import all_boards
from finer.app.decider import Decider
from finer.app.fast_path import Endpoint, FastPath
from finer.app.flow import deliver
from finer.app.ingestion import Ingestion
from finer.app.job_routes import JobController
from finer.app.keys import keyring, prove_keys
from finer.app.lake_dependencies import lake_dependencies
from finer.app.live import Channel
from finer.app.patience import Patience, last_answers
from finer.app.process import database_url, prepare_process, settle
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.queries import Queries
from finer.app.ready_boards import ReadyBoards
from finer.app.requests import CheckedRequest, callers_own
from finer.app.sign_in import Doorway
from finer.app.silence import SilenceWatch, told
from finer.app.single_sign_on import SingleSignOn
from finer.app.source_desk import SourceDesk
from finer.app.streams import StreamController, alert_snapshot, notification_snapshot, pipeline_snapshot
from finer.app.web import no_body_for_head, security_headers, web_app
from finer.decisions.routes.decisions import BODY_BYTES_MAX as DECISION_BYTES_MAX
from finer.decisions.routes.documents import Decision, show_decision
from finer.decisions.routes.explanations import Explanation
from finer.decisions.routes.listing import ROUTES as DECISION_ROUTES
from finer.decisions.service.alerts import CHANNEL as ALERTS_CHANNEL
from finer.decisions.service.alerts import DECISIONS_CHANNEL
from finer.fraud.routes.listing import ROUTES as FRAUD_ROUTES
from finer.fraud.service import explanations
from finer.fraud.service import verdicts as fraud
from finer.identity.routes import edge, masking, watch
from finer.identity.routes.entrance import Entrance
from finer.identity.routes.listing import ROUTES as IDENTITY_ROUTES
from finer.identity.service.authorisation import ACCESS_CHANNEL
from finer.identity.types.access import Principal
from finer.ingest.routes.documents import Receipt
from finer.ingest.routes.events import Intake
from finer.ingest.routes.listing import ROUTES as INGEST_ROUTES
from finer.ingest.service.contracts import CHANNEL as CONTRACTS_CHANNEL
from finer.kit import allowed
from finer.kit.db import API, Database, answers
from finer.kit.errors import FinerError, InvalidInput, Unavailable
from finer.kit.live import Listener
from finer.kit.settings import Settings, load_settings
from finer.kit.tx import Tx
from finer.ledger.routes import LedgerController
from finer.lineage.routes import LineageController
from finer.notifications.routes import ROUTES as NOTIFICATION_ROUTES
from finer.notifications.service import CHANNEL as NOTIFICATIONS_CHANNEL
from finer.operations.service.rollups import CHANNEL as SUMS_CHANNEL
from finer.privacy.routes.registers import ROUTES as PRIVACY_ROUTES
from finer.quality.routes.quality import ROUTES as QUALITY_ROUTES
from finer.scoring.routes.listing import ROUTES as MODEL_ROUTES
from finer.screening.routes.screening import ROUTES as SCREENING_ROUTES
from finer.segments.routes import ROUTES as SEGMENT_ROUTES
from finer.sources.routes.listing import ROUTES as SOURCE_ROUTES
from finer.warehouse.routes import ROUTES as LAKE_ROUTES
from finer.warehouse.service import lake as warehouse
from finer.workspace.routes.listing import ROUTES as WORKSPACE_ROUTES
from finer.workspace.service.runs import CHANNEL as QUERIES_CHANNEL

_log = structlog.get_logger(__name__)
_SMALL_BODY = 2**20  # bytes; what the framework costs is nothing beside reading a larger one
ROUTES: list[Any] = [
    *IDENTITY_ROUTES,
    *INGEST_ROUTES,
    *SOURCE_ROUTES,
    *DECISION_ROUTES,
    *FRAUD_ROUTES,
    *MODEL_ROUTES,
    *SCREENING_ROUTES,
    *PRIVACY_ROUTES,
    *QUALITY_ROUTES,
    *LAKE_ROUTES,
    *WORKSPACE_ROUTES,
    *DASHBOARD_ROUTES,
    *SEGMENT_ROUTES,
    *NOTIFICATION_ROUTES,
    *BOARD_ROUTES,
    JobController,
    LedgerController,
    LineageController,
    StreamController,
    monitoring.MonitoringController,
]


class Services:
    """What one API process holds: made at start, closed at stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.draining = False
        self.url, _ = database_url(settings)
        self.database = Database(
            self.url, API, connections=settings.database_pool_connections, deliver=deliver, keys=keyring(settings)
        )
        self.authenticator = Authenticator(self.database, settings, heard_at=lambda: self._listener.heard_at)
        self.access_log = AccessLog(self.database)
        self.doorway = Doorway(self.database, settings, self.authenticator)
        self.single_sign_on = SingleSignOn(self.database, settings, self.doorway)
        self.registry = Registry(self.database)
        self.ingestion = Ingestion(self.database, settings, self.registry)
        self.intake = Intake(self.ingestion.submit, self.registry.soon, settings.body_bytes_max)
        self.source_desk = SourceDesk(self.database, settings, lambda: self.ingestion.backlog_events)
        self.decider = Decider(self.database, self.ingestion, settings.decision_timeout_s)
        self.lake = warehouse.LakeReader(self.url, settings)
        self.queries = Queries(self.database, settings)
        self.alerts = Channel(lambda tenant, since: alert_snapshot(self, tenant, since), tick_s=0.1)
        self.notifications = Channel(lambda tenant, since: notification_snapshot(self, tenant, since), tick_s=0.2)
        self.pipeline = Channel(lambda tenant, _: pipeline_snapshot(self, tenant), tick_s=1.0, always=True)
        self.boards = all_boards(self.database, settings)
        self._listener = Listener(
            self.url,
            API,
            {
                ALERTS_CHANNEL: self.alerts.mark,
                DECISIONS_CHANNEL: self.decider.notified,
                CONTRACTS_CHANNEL: self.registry.notified,
                NOTIFICATIONS_CHANNEL: self.notifications.mark,
                QUERIES_CHANNEL: self.queries.stop,
                SUMS_CHANNEL: self.boards.mark,
                ACCESS_CHANNEL: self._rights_changed,
            },
        )

        self._silence = SilenceWatch(
            lambda: self._listener.heard_at, lambda: answers(self.url, API), self._listener.renew
        )

    def _rights_changed(self, whose: str) -> None:
        # Who looks at the streams asks anew, so that what is remembered has to go first.
        self.authenticator.rights_changed(whose)
        self.boards.suspect(whose)

    async def start(self) -> None:
        """Check isolation and keys, then begin to serve.

        Raises Unavailable when one tenant could read another's rows, or the keys are not those of the data.
        """
        problems = await asyncio.to_thread(isolation_problems, self.database)
        if problems:
            raise Unavailable("The database does not keep tenants apart, so nothing is served: " + " ".join(problems))
        await asyncio.to_thread(prove_keys, self.database)
        await asyncio.to_thread(self.ingestion.start)
        self.access_log.start()
        self.decider.start()
        self.alerts.start()
        self.notifications.start()
        self.pipeline.start()
        self.boards.start()
        self._listener.start()
        self._silence.start()
        settle()

    def drain(self) -> None:
        """The process is about to stop: say so to whoever asks, and end the live streams. On the event loop."""
        self.draining = True
        self.alerts.end()
        self.notifications.end()
        self.pipeline.end()
        self.boards.end()

    async def close(self) -> None:
        """Finish what was accepted and let go of everything."""
        await self.alerts.close()
        await self.notifications.close()
        await self.pipeline.close()
        await self.boards.close()
        await asyncio.to_thread(self.ingestion.close)
        await asyncio.to_thread(self._silence.close)
        await asyncio.to_thread(self._listener.close)
        self.source_desk.close()
        await asyncio.to_thread(self.queries.close)
        self.lake.close()
        await asyncio.to_thread(self.access_log.close)
        self.database.close()


def create_app(settings: Settings | None = None) -> Litestar:
    """The ASGI application of one API process."""
    chosen = settings or load_settings()
    prepare_process(chosen, "api")
    services = Services(chosen)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        await services.start()
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, services.drain)
        yield
        await services.close()

    entrance, access, fast = Entrance(chosen), watch.AccessWatch(services.access_log), _fast_endpoints(services)
    app = Litestar(
        route_handlers=[*ROUTES, *web_app()],
        lifespan=[lifespan],
        state=State({"services": services}),
        middleware=[
            FastPath(fast, entrance, services.authenticator, access, _failed, body_wait_s=chosen.body_wait_s),
            ReadyBoards(services.boards, entrance, services.authenticator, access),
            entrance,
            edge.Authentication(services.authenticator),
            Patience(chosen.body_wait_s),
            access,
            idempotency.Idempotency(_failed),
        ],
        guards=[edge.guard],
        dependencies=_dependencies(services),
        exception_handlers={
            FinerError: _problem,
            HTTPException: _http_problem,
            idempotency.Replay: idempotency.show_replay,
            RecursionError: _too_deep,
            Exception: _unexpected,
        },
        before_request=masking.note_viewer,
        request_class=CheckedRequest,
        after_request=_finish,
        before_send=[security_headers(chosen), last_answers(lambda: services.draining), no_body_for_head],
        request_max_body_size=chosen.body_bytes_max,
        openapi_config=openapi.config(),
        logging_config=None,
        pdb_on_exception=False,
    )
    if undeclared := edge.undeclared_routes(route_handlers(app)):
        raise RuntimeError(f"Routes without a permission: {', '.join(undeclared)}. Declare one in `opt`.")
    return app


def _fast_endpoints(services: Services) -> dict[str, Endpoint]:
    """The routes of machines, by the name that their `fast_path` option gives."""
    intake = services.intake

    async def take(principal: Principal, path: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Receipt:
        return await intake.take(principal, path["contract"], headers, body)

    async def decide(principal: Principal, _path: object, _headers: object, body: bytes) -> Decision:
        return show_decision(await services.decider.decide(principal, body))

    return {
        "events": Endpoint(202, min(_SMALL_BODY, services.settings.body_bytes_max), take),
        "decisions": Endpoint(200, min(DECISION_BYTES_MAX, services.settings.body_bytes_max), decide),
    }


async def _finish(response: Response[Any]) -> Response[Any]:
    return await watch.note_response(await masking.mask_answer(response))


def _dependencies(services: Services) -> dict[str, Provide]:
    titles = {rule.id: rule.title for rule in fraud.list_rules()}
    about = {one.name: (one.description, one.unit) for one in fraud.windows().definitions}

    def explanations_of(alert_tx: Tx, alerts: Sequence[uuid.UUID]) -> dict[uuid.UUID, Explanation]:
        found = explanations.explanations_of(alert_tx, alerts)
        return {alert: msgspec.convert(msgspec.to_builtins(one), Explanation) for alert, one in found.items()}

    def constant(value: Any) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return {
        "before_tx": constant(None),
        "tx": Provide(idempotency.transaction_of(services.database, watch.before_commit)),
        **lake_dependencies(services.database, services.lake),
        "intake": constant(services.intake),
        "decide": constant(services.decider.decide),
        "describe_rule": constant(lambda rule: titles.get(rule, rule)),
        "describe_feature": constant(lambda name: about.get(name, (name, ""))),
        "explanations": constant(explanations_of),
        "services": constant(services),
        "credentials": constant(services.authenticator),
        "machine_tokens": constant(services.authenticator.machine_tokens),
        "doorway": constant(services.doorway),
        "proposal_kinds": constant(PROPOSAL_KINDS),
        "source_desk": constant(services.source_desk),
        "single_sign_on": constant(services.single_sign_on),
        "settings": constant(services.settings),
        "lake": constant(services.lake),
        "ask_lake": constant(services.queries.ask),
        "sql_tables": constant(services.queries.tables),
    }


def _problem(request: Request[Any, Any, Any], error: FinerError) -> Response[Any]:
    watch.note_problem(error.slug)
    headers = {"Retry-After": str(error.members["retry_after_s"])} if "retry_after_s" in error.members else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(error.problem(_shown_path(request))),
        status_code=error.status,
        media_type="application/problem+json",
        headers=headers,
    )


def _shown_path(request: Request[Any, Any, Any]) -> str:
    """The path for answers and logs. Whoever knows the last part of a webhook's may send to it, so it is left out."""
    options = getattr(request.scope.get("route_handler"), "opt", {})  # there is none where no route was found
    return request.url.path.rpartition("/")[0] if options.get("secret_path") else request.url.path


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    return _problem(request, error) if isinstance(error, FinerError) else _unexpected(request, error)


def _said_of_value(request: Request[Any, Any, Any], key: str = "", message: str = "", source: object = None) -> str:
    """What is wrong with a parameter or a body, by the name that callers know, and with what may stand there."""
    handler: Any = request.scope.get("route_handler")  # there is none where no route was found
    known = {} if handler is None else handler.parsed_fn_signature.parameters
    if source == "body" and "data" in known:
        return f"{key}: {allowed.told(known['data'].annotation, message, key)}"
    field: Any = known.get(key) if source == "query" else None
    if field is None:
        return f"{key}: {message}"
    name = getattr(field.kwarg_definition, "query", None) or key
    return f"{name}: {allowed.told(field.annotation, message, '')}"


def _http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    error = callers_own(error)
    extra = error.extra if isinstance(error.extra, list) else []
    # The framework quotes the address with whatever somebody wrote behind the question mark.
    detail = error.detail.replace(f"?{request.url.query}", "")
    if isinstance(error, NotFoundException):
        detail = f"There is no endpoint {_shown_path(request)}. /api/v1/openapi.json lists them."
    if extra:
        detail += ": " + "; ".join(_said_of_value(request, **one) for one in extra)
    document = {
        "type": "about:blank",
        "title": type(error).__name__.removesuffix("Exception"),
        "status": error.status_code,
        "detail": detail,
        "instance": _shown_path(request),
    }
    return Response(
        msgspec.json.encode(document),
        status_code=error.status_code,
        media_type="application/problem+json",
        headers=dict(error.headers or {}),
    )


def _too_deep(request: Request[Any, Any, Any], _error: RecursionError) -> Response[Any]:
    return _problem(request, InvalidInput("The JSON is nested too deep to be read. Nothing was changed."))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if (foreseen := told(error)) is not None:
        return _problem(request, foreseen)
    incident = uuid.uuid4().hex[:12]
    _log.error("unexpected failure", incident=incident, path=_shown_path(request), exc_info=error)
    failure = FinerError(
        f"Something went wrong on our side; nothing was changed. Tell the operator the incident {incident}.",
        incident=incident,
    )
    return _problem(request, failure)


def route_handlers(app: Litestar) -> list[Any]:
    """Every route handler but Litestar's answers to OPTIONS, whatever module it comes from."""
    handlers = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    return [handler for handler in handlers if handler.http_methods != {"OPTIONS"}]
