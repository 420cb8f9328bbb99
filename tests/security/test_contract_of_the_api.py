"""Schemathesis over every operation of the served OpenAPI document: odd requests get an answer that the document names.

Bounded and the same each time: a few generated requests per operation, in two moods (fitting the schema, and not). The
streams are left out, since their answers do not end; tests/security/test_canary.py listens to them.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from finer.identity.types.access import Role
from tests.security.matrix import read_rows
from tests.security.world import World
from tests.support.api_process import ApiProcess, api_process

_DOCUMENT = Path(__file__).resolve().parents[2] / "web" / "openapi.json"
_ENDLESS = "/stream"
_LEFT_OUT = {
    "DELETE /api/v1/session",  # ends the session that the others are tried with
    "GET /api/v1/sso/callback",  # sends a browser on to a page; tests/security/test_single_sign_on.py tries it
}
_ASK_A_PROVIDER = {"POST /api/v1/sso/attempts", "POST /api/v1/sso/discovery"}
"""Operations that answer 502 when the other side does not: here there is none."""
_EXAMPLES = 6
_WHO = {"administrator", "risk_analyst", "service"}
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _operations() -> list[str]:
    paths = json.loads(_DOCUMENT.read_text())["paths"]
    found = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    return sorted(one for one in found if not one.endswith(_ENDLESS) and one not in _LEFT_OUT)


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, data_path: Path, ours: World
) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("api")
    with api_process(
        folder, database_url, data_path / "master.key", FINER_ARGON2_MEMORY_KIB="8", FINER_ARGON2_ITERATIONS="1",
        FINER_DECISION_TIMEOUT_S="0.3",
    ) as found:  # fmt: skip
        yield found


@pytest.fixture(scope="module")
def credentials(ours: World) -> dict[str, dict[str, str]]:
    return {who: ours.headers(who) for who in sorted(_WHO)}


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One set of connections, closed at the end."""
    with requests.Session() as found:
        yield found


@pytest.fixture(scope="module")
def schema() -> Any:
    return schemathesis.openapi.from_path(str(_DOCUMENT))


@functools.cache
def _turned_away(operation: str) -> frozenset[str]:
    """Who gets 403 whatever is sent, by the matrix."""
    found = [row.expected for row in read_rows() if f"{row.method} {row.path}" == operation]
    return frozenset(who for expected in found for who in _WHO if expected[who] == "403")


def _attempt(wanted: Any, mode: GenerationMode, call: Callable[[Any], None], examples: int) -> None:
    """Make requests of an operation in a mood, the same ones each time, and hand each to `call`."""

    @hypothesis.settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=wanted.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        call(case)

    attempt()


@pytest.mark.parametrize("operation", _operations())
def test_c13_odd_requests_get_an_answer_that_the_document_names(
    operation: str, schema: Any, api: ApiProcess, credentials: dict[str, dict[str, str]], session: requests.Session
) -> None:
    method, _, path = operation.partition(" ")
    turned_away = _turned_away(operation)
    checks = [check for check in _CHECKS if check is not not_a_server_error or operation not in _ASK_A_PROVIDER]

    def call(case: Any) -> None:
        generated = dict(case.headers or {})
        for who, headers in credentials.items():
            if met[who] and who in turned_away:
                continue  # the guard asks for the permission before anybody looks at what was sent
            met[who] += 1
            case.headers = generated | headers
            assert case.call_and_validate(base_url=api.url, session=session, checks=checks).status_code != 500

    met: Counter[str] = Counter()
    _attempt(schema[path][method], GenerationMode.POSITIVE, call, _EXAMPLES)
    checks.append(negative_data_rejection)
    met.clear()
    # An operation without any input has no wrong input.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        _attempt(schema[path][method], GenerationMode.NEGATIVE, call, _EXAMPLES)


def test_every_operation_is_tried() -> None:
    assert len(_operations()) > 35
    assert Role.SERVICE.value in _WHO
