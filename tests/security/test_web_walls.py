"""W03, W06: what every answer carries, whatever it is; and the policy of the pages, with a nonce for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.app import web
from finer.app.api import create_app
from finer.kit.settings import Settings

_INDEX = """<!doctype html><script src="/boot.js" nonce="FINER-PAGE-NONCE"></script>
<meta property="csp-nonce" nonce="FINER-PAGE-NONCE"><link rel="stylesheet" href="/a.css" nonce="FINER-PAGE-NONCE">"""
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A built web app of three files, beside one that is nobody's business."""
    outside = tmp_path_factory.mktemp("web")
    built = outside / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(_INDEX)
    (built / "assets" / "app.js").write_text("export {}")
    (outside / "secret.txt").write_text("canary-of-the-file-system")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finer.app.web.web_folder", lambda: built)
        yield built


@pytest.fixture(scope="module")
def client(folder: Path, database_url: str, data_path: Path) -> Iterator[TestClient[Litestar]]:
    app = create_app(Settings(database_url=database_url, data_dir=str(data_path)))
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/fraud"),
        ("GET", "/assets/app.js"),
        ("GET", "/assets/missing.js"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/health/live"),
        ("POST", "/api/v1/session"),
        ("PUT", "/api/v1/me"),
        ("OPTIONS", "/api/v1/me"),
        ("DELETE", "/"),
    ],
)
def test_w03_every_answer_carries_the_headers(client: TestClient[Litestar], method: str, path: str) -> None:
    answer = client.request(method, path)
    for name, value in _ALWAYS.items():
        assert answer.headers.get_list(name) == [value], name
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    if "text/html" not in answer.headers.get("content-type", ""):
        assert "sandbox" in policy


def test_an_answer_to_head_has_no_body(client: TestClient[Litestar]) -> None:
    # The test client keeps no body of such an answer, and a client that speaks HTTP/2 ends with an error for one.
    for path, status in (("/", 200), ("/assets/app.js", 200), ("/api/v1/me", 405)):
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "2", "method": "HEAD", "scheme": "https",
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
            "headers": [(b"host", b"testserver.local")], "server": ("testserver.local", 443), "client": ("client", 1),
        }  # fmt: skip
        with client.portal() as portal:
            portal.call(client.app, scope, receive, send)
        assert (sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])) == (status, b""), path


def test_w03_a_page_has_a_nonce_of_its_own_and_no_script_without_it(client: TestClient[Litestar]) -> None:
    seen = set()
    for _ in range(20):
        answer = client.get("/fraud")
        policy = answer.headers["content-security-policy"]
        [nonce] = set(re.findall(r"'nonce-([A-Za-z0-9_-]{22,})'", policy))
        assert web.NONCE_MARK not in answer.text
        assert answer.text.count(f'nonce="{nonce}"') == 3
        assert answer.headers["cache-control"] == "no-store"
        seen.add(nonce)
    assert len(seen) == 20


def test_w03_the_built_page_has_a_nonce_on_every_script_and_style_and_nothing_inline() -> None:
    page = Path(__file__).resolve().parents[2] / "web" / "index.html"
    text = page.read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\son[a-z]+=|\sstyle=|javascript:", text) == []
    assert web.NONCE_MARK in (page.parent / "vite.config.ts").read_text()


def test_w06_private_answers_are_kept_by_nobody(client: TestClient[Litestar]) -> None:
    for path in ("/api/v1/me", "/api/v1/alerts", "/api/v1/nothing", "/api/v1/health/ready"):
        assert client.get(path).headers["cache-control"] == "no-store", path
    assert "immutable" in client.get("/assets/app.js").headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%252e%252e/%252e%252e/secret.txt",
        "/..\\secret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/assets/app.js%00.html",
        "/.vite/manifest.json/../../../secret.txt",
        "/" + "a/" * 2000,
        "/" + "%41" * 3000,
        "/assets/%7f",
    ],
)
def test_d03_no_path_leaves_the_folder_of_the_web_app(client: TestClient[Litestar], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 400, 404), path
    assert "canary-of-the-file-system" not in answer.text
    assert "root:" not in answer.text


def test_d03_a_link_out_of_the_folder_is_not_followed(folder: Path, client: TestClient[Litestar]) -> None:
    (folder / "assets" / "out.txt").symlink_to(folder.parent / "secret.txt")
    assert "canary" not in client.get("/assets/out.txt").text


def test_over_tls_browsers_are_told_to_come_by_tls_only(folder: Path, database_url: str, data_path: Path) -> None:
    settings = Settings(database_url=database_url, data_dir=str(data_path), public_url="https://finer.example")
    with TestClient(create_app(settings)) as client:
        for path in ("/", "/api/v1/me", "/api/v1/health/live"):
            assert client.get(path).headers["strict-transport-security"].startswith("max-age=31536000"), path
    with TestClient(create_app(Settings(database_url=database_url, data_dir=str(data_path)))) as client:
        assert "strict-transport-security" not in client.get("/").headers
