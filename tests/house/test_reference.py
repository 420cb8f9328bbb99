"""Every setting, command, endpoint, contract, rule, fact and permission stands in docs/reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import click
import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from finer.app import openapi
from finer.app.api import create_app
from finer.identity.types.access import Permission
from finer.kit.settings import Settings
from tests.house.checks.routes import kept_secrets, undeclared_in_app, unrepeatable
from tests.house.checks.tree import REPOSITORY
from tools import reference

KNOWN = frozenset({"public", *(permission.value for permission in Permission)})


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return reference.files()


def test_the_generated_files_say_what_the_program_does(files: dict[str, str]) -> None:
    assert reference.outdated(REPOSITORY, files) == []


def test_a_file_that_was_not_written_again_is_found(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    page = "docs/reference/api.md"
    (tmp_path / page).write_text(files[page].replace("alerts", "alarms", 1))
    (tmp_path / "web/openapi.json").unlink()
    found = reference.outdated(tmp_path, files)
    assert [sentence.split()[0] for sentence in found] == [page, "web/openapi.json"]
    assert "Run `make docs`" in found[0]


def test_every_setting_stands_on_its_page(files: dict[str, str]) -> None:
    page = files["docs/reference/settings.md"]
    assert all(f"`FINER_{name.upper()}`" in page for name in Settings.__struct_fields__)


def test_a_new_setting_changes_its_page() -> None:
    class Planted(msgspec.Struct):
        fresh: Annotated[int, msgspec.Meta(description="Planted.", ge=3)] = 5

    assert "| `FINER_FRESH` | `5` | int, at least 3 | Planted. |" in reference.settings_page(Planted)


def test_a_new_command_changes_its_page() -> None:
    @click.group()
    def program() -> None: ...

    @program.command()
    @click.argument("name")
    @click.option("--loud", is_flag=True, help="Say it loudly.")
    def greet(name: str, loud: bool) -> None:
        """Greet somebody.

        Example: finer greet Ana
        """

    page = reference.commands_page(program)
    assert "## finer greet NAME\n\nGreet somebody." in page
    assert "| `--loud` | Say it loudly. |" in page
    assert "finer greet Ana" in page


@get("/planted", summary="Planted", opt={"permission": "alerts:read"}, sync_to_thread=False)
def _declared(size: int = 1) -> dict[str, Any]:
    """Answer with the size."""
    return {"size": size}


@get("/forgotten", sync_to_thread=False)
def _forgotten() -> None:
    """Declare nothing."""


@get("/misspelt", opt={"permission": "alerts:raed"}, sync_to_thread=False)
def _misspelt() -> None:
    """Declare what does not exist."""


def test_a_new_endpoint_changes_its_page() -> None:
    described = OpenAPIConfig("Planted", "1", use_handler_docstrings=True)
    page = reference.api_page(Litestar([_declared], openapi_config=described))
    assert "## GET /planted\n\nPlanted. Answer with the size.\n\nPermission: `alerts:read`." in page
    assert "| `size` | query | integer |" in page


def test_every_live_route_declares_a_permission_that_exists(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=str(tmp_path)))
    assert app.routes
    assert undeclared_in_app(app.routes, KNOWN) == []


def test_every_live_write_can_be_repeated(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=str(tmp_path)))
    assert unrepeatable(app.routes) == []
    assert kept_secrets(openapi.document(app)) == []


@post("/planted", opt={"permission": "alerts:read"}, sync_to_thread=False)
def _forgetful() -> None:
    """Change something outside a transaction."""


class _Key(msgspec.Struct):
    secret: str


@post("/planted/key", opt={"permission": "alerts:read"}, sync_to_thread=False)
def _secretive(tx: str) -> _Key:
    """Make a key."""
    return _Key(tx)


def test_a_live_write_that_is_done_twice_or_keeps_its_secret_is_found() -> None:
    planted = Litestar([_forgetful, _secretive], dependencies={"tx": Provide(lambda: "", sync_to_thread=False)})
    assert [sentence.split()[0] for sentence in unrepeatable(planted.routes)] == ["/planted"]
    [sentence] = kept_secrets(openapi.document(planted))
    assert sentence.startswith("POST /planted/key answers with secret")


def test_a_live_route_without_a_permission_is_found() -> None:
    found = undeclared_in_app(Litestar([_declared, _forgotten, _misspelt]).routes, KNOWN)
    assert sorted(sentence.split()[0] for sentence in found) == ["/forgotten", "/misspelt"]
    assert "None, which does not exist" in found[0] + found[1]
