"""The OpenAPI document: what Litestar derives from the routes, and what holds for all of them.

A route adds members of its own to its operation with `opt={"describe": {...}}`, for what no signature can say: raw
bodies and streams.
"""

from __future__ import annotations

import copy
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from finer.app.idempotency import ANSWER_ONCE, HEADER, KEY_MAX, REPLAYED, honours_key
from finer.identity.routes import edge
from finer.ingest.service import contracts
from finer.kit.documents import Problem
from finer.sources.types import Settings as SourceSettings

_ROOT = "/api/v1"
_UNSAFE = frozenset({"post", "put", "patch", "delete"})
_KEY = {
    "name": HEADER,
    "in": "header",
    "description": "A text that names this request. The same request again, within 24 hours, is answered as it was the "
    "first time and done once; with another request it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
}
_REPLAYED = {"description": "true when the act was done by an earlier request.", "schema": {"type": "string"}}
_PARAMETER_NOISE = ("deprecated", "allowEmptyValue", "allowReserved")
_MEANINGS = {
    400: "The request cannot be understood.",
    401: "Nobody is signed in, or the key or session is not valid any more.",
    403: "The role or the key does not allow this, or the request came from another site.",
    404: "There is no such thing for this tenant.",
    409: "The act contradicts what is stored.",
    413: "The body is too large.",
    415: "The content type or encoding is none that is read here.",
    422: "The input is well formed and breaks a rule.",
    429: "The caller, or the whole system, is over its limit.",
    503: "A part of the system is not there right now; nothing was changed.",
}
_RETRIED = frozenset({409, 429, 503})


class _Render(JsonRenderPlugin):
    """Serves the finished document; made at the first request for it."""

    _document: bytes = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """The document as JSON."""
        self._document = self._document or msgspec.json.encode(document(request.app))
        return self._document


def _nothing_else(request: Request[Any, Any, Any]) -> None:
    """Litestar answers for whatever stands beside the document with a page of HTML, and machines read problems."""
    if request.url.path.rstrip("/") not in {_ROOT, f"{_ROOT}/openapi.json"}:
        raise NotFoundException


def config() -> OpenAPIConfig:
    """How the document is made and served."""
    return OpenAPIConfig(
        title="Finer",
        version=version("finer"),
        openapi_router=Router(
            _ROOT,
            route_handlers=[],
            before_request=_nothing_else,
            opt={"permission": edge.PUBLIC},
            include_in_schema=False,
        ),
        render_plugins=[_Render(path="/openapi.json")],
        use_handler_docstrings=True,
    )


def document(app: Litestar) -> dict[str, Any]:
    """The OpenAPI 3.1 document of every route."""
    found: dict[str, Any] = copy.deepcopy(app.openapi_schema.to_schema())
    for path, method, handler in _handlers(app):
        _complete(path, method, found["paths"][path][method], handler)
    components = found["components"]
    for _, _, handler in _handlers(app):
        _close(components["schemas"], handler)
    components["schemas"] = dict(sorted((components["schemas"] | _shared_schemas()).items()))
    components["responses"] = {f"Problem{status}": _problem(status) for status in _MEANINGS} | {
        "Problem": _problem(None)
    }
    components["securitySchemes"] = {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": edge.COOKIE,
            "description": f"The session of a browser; {edge.SECURE_COOKIE} over https.",
        },
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, fk_..."},
    }
    return found


def _handlers(app: Litestar) -> list[tuple[str, str, Any]]:
    return [
        (route.path_format, method.lower(), handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.resolve_include_in_schema()
        for method in handler.http_methods
        if method != "OPTIONS"
    ]


def _complete(path: str, method: str, operation: dict[str, Any], handler: Any) -> None:
    described = handler.opt.get("describe", {})
    operation["responses"].pop("400", None)  # Litestar's own form, which no answer here has
    operation["responses"].update(described.get("responses", {}))
    parameters = operation.pop("parameters", []) + described.get("parameters", [])
    if honours_key(handler):
        parameters.append(_KEY)
        _say_that_it_is_replayed(operation, once=handler.opt.get(ANSWER_ONCE, False))
    for parameter in parameters:
        for noise in _PARAMETER_NOISE:
            if not parameter.get(noise, True):
                del parameter[noise]
    if parameters:
        operation["parameters"] = parameters
    if "requestBody" in described:
        operation["requestBody"] = described["requestBody"]
    permission = str(handler.opt["permission"])
    operation["x-permission"] = permission
    operation["security"] = [] if permission == edge.PUBLIC else [{"session": []}, {"key": []}]
    for status in _statuses(path, method, operation, permission):
        operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}


def _say_that_it_is_replayed(operation: dict[str, Any], *, once: bool) -> None:
    if once:
        operation["description"] += (
            f"\n\nThe answer holds a secret and is shown once: the same request with its {HEADER} is refused (409)."
        )
        return
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response["headers"] = response.get("headers", {}) | {REPLAYED: _REPLAYED}


def _close(schemas: dict[str, Any], handler: Any) -> None:
    """Say of a body that refuses unknown members that it does."""
    data = handler.parsed_fn_signature.parameters.get("data")
    config = getattr(data.annotation, "__struct_config__", None) if data is not None else None
    if data is not None and config is not None and config.forbid_unknown_fields:
        schemas[data.annotation.__name__]["additionalProperties"] = False


def _statuses(path: str, method: str, operation: dict[str, Any], permission: str) -> list[int]:
    found = {503}
    if "parameters" in operation or "requestBody" in operation:
        found.add(400)
    if permission != edge.PUBLIC:
        found |= {401, 403}
    if "{" in path:
        found.add(404)
    if method in _UNSAFE:
        found |= {403, 409, 429}
    if "requestBody" in operation:
        found |= {413, 415, 422}
    return sorted(found)


def _problem(status: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": "A problem." if status is None else f"{HTTPStatus(status).phrase}. {_MEANINGS[status]}",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _RETRIED:
        about = "Seconds after which the same request may be sent again, where that helps."
        found["headers"] = {"Retry-After": {"description": about, "schema": {"type": "integer"}}}
    return found


def _shared_schemas() -> dict[str, Any]:
    # What the framework leaves out of kinds that are told apart by a tag is the tag.
    _, found = msgspec.json.schema_components([Problem, SourceSettings], ref_template="#/components/schemas/{name}")
    schemas = contracts.json_schemas()
    record = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas]}
    return {**found, **schemas, "record": record}
