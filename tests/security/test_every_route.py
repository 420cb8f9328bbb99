"""Every route of the live table refuses whoever has no credential, or one of no use; walked, not listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar import Litestar, get

from finer.app.api import ROUTES, create_app, route_handlers
from finer.identity.routes.edge import PUBLIC, undeclared_routes
from finer.identity.types.access import Permission
from finer.kit.settings import Settings
from tests.support.asgi import Driver

# {"alg":"none","typ":"at+jwt","kid":"x"} . {"sub":"00000000"}: what test_tokens.py does in sixty ways.
FORGED = "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoieCJ9.eyJzdWIiOiIwMDAwMDAwMCJ9.AA"
CREDENTIALS: tuple[dict[str, str], ...] = (
    {},
    {"authorization": "Bearer fk_00000000_wrong"},
    {"authorization": "Bearer nonsense"},
    {"authorization": FORGED},
    {"cookie": "finer_session=wrong"},
)


@pytest.fixture
def settings(database_url: str, data_path: Path) -> Settings:
    return Settings(database_url=database_url, data_dir=str(data_path))


def _requests(app: Litestar) -> list[tuple[str, str]]:
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.opt.get("permission") != PUBLIC:
                path = re.sub(r"\{[a-z_]+:[a-z]+\}", "transaction", route.path)
                found += [(method, path) for method in handler.http_methods if method != "OPTIONS"]
    return found


def test_b02_no_route_answers_without_a_good_credential(driver: Driver) -> None:
    """Whatever is asked: who looked at the input first would answer 400 or 404, and fail here as well."""
    requests = _requests(driver.app)
    assert len(requests) > 300
    for method, path in requests:
        for credential, answer in zip(CREDENTIALS, driver.call_each(method, path, CREDENTIALS), strict=True):
            assert answer.status == 401, f"{method} {path} answered {answer.status} to {credential}"
            assert answer.header("content-type").startswith("application/problem+json")


def test_a_route_without_a_permission_stops_the_start(settings: Settings, app: Litestar) -> None:
    @get("/planted", sync_to_thread=False)
    def planted() -> str:
        return "secret"

    assert undeclared_routes([planted]) != []
    assert undeclared_routes(route_handlers(app)) == []
    ROUTES.append(planted)
    try:
        with pytest.raises(RuntimeError, match="Routes without a permission"):
            create_app(settings)
    finally:
        ROUTES.remove(planted)


def test_every_permission_is_needed_somewhere(app: Litestar) -> None:
    used = {handler.opt["permission"] for handler in route_handlers(app)}
    assert used - {PUBLIC} <= set(Permission)
