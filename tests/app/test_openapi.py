"""The OpenAPI document says what the server takes and answers, for every route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from finer.app import openapi
from finer.app.api import create_app
from finer.kit.settings import Settings

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return openapi.document(create_app(Settings(data_dir=str(tmp_path_factory.mktemp("openapi")))))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield f"{method.upper()} {path}", operation


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def test_every_answer_and_every_body_has_a_schema_of_its_own(document: dict[str, Any]) -> None:
    loose = [
        f"{name}: {kind}"
        for name, operation in _operations(document)
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
        for kind, entry in part.get("content", {}).items()
        if entry["schema"] in ({}, {"type": "object"}) or entry["schema"].get("additionalProperties") == {}
    ]
    assert loose == []


def test_problems_are_declared_with_their_status(document: dict[str, Any]) -> None:
    responses = dict(_operations(document))["POST /api/v1/alerts/{alert_id}/resolution"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503", "default"}
    conflict = document["components"]["responses"]["Problem409"]
    assert conflict["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "Retry-After" in conflict["headers"]


def test_public_routes_ask_for_no_credential_and_all_others_do(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        assert operation["security"] == (
            [] if operation["x-permission"] == "public" else [{"session": []}, {"key": []}]
        )
        assert name != "GET /api/v1/alerts" or operation["x-permission"] == "alerts:read"


def test_a_stream_tells_its_events_and_what_they_hold(document: dict[str, Any]) -> None:
    stream = dict(_operations(document))["GET /api/v1/alerts/stream"]
    events = stream["responses"]["200"]["content"]["text/event-stream"]["schema"]["x-events"]
    assert events["alert"] == {"$ref": "#/components/schemas/Alert"}
    assert set(events) == {"alert", "summary", "resync", "heartbeat"}
    assert [one["name"] for one in stream["parameters"]] == ["Last-Event-ID"]


def test_records_are_described_by_their_contracts(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    transaction = schemas["transaction"]
    assert transaction["properties"]["amount"]["type"] == ["number", "string", "null"]
    assert "transactionAmount" in transaction["properties"]["amount"]["description"]
    assert {"$ref": "#/components/schemas/transaction"} in schemas["record"]["anyOf"]
    body = dict(_operations(document))["POST /api/v1/events/{contract}"]["requestBody"]["content"]
    assert body["application/json"]["schema"]["items"] == {"$ref": "#/components/schemas/record"}


def test_a_body_that_refuses_unknown_members_says_so(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["ResolutionBody"]["additionalProperties"] is False
