"""A database that stands still, or is gone: whoever asks is told so in time, and is served again when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import httpx
import psutil
import pytest

from tests.support.server import Server, serving

RECORD = '{"event_id":"silent","customer_id":"c1","amount":5,"occurred_at":"2026-01-01T00:00:00Z"}'
ASKED = (
    ("GET", "/api/v1/alerts", ""),
    ("GET", "/api/v1/sessions", ""),
    ("GET", "/api/v1/users", ""),
    ("POST", "/api/v1/teams", '{"name":"Night shift"}'),
    ("POST", "/api/v1/events/transaction", RECORD),
    ("POST", "/api/v1/decisions", RECORD),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Finer of its own: what comes back last after these faults is no matter of the tests beside."""
    with serving() as found:
        yield found


def test_who_asks_a_database_that_stands_still_or_is_gone_is_told_in_time(server: Server) -> None:
    with closing(server.sign_in("administrator")) as client:
        # The API may be ready before the worker is, which a decision waits for.
        tries = (_answers(server, client) for _ in range(12))
        before = next(found for found in tries if all(answer.status_code < 500 for answer in found))
        for fault in (_standing_still, _gone):
            with fault(server):
                # More than there are connections: none of them stays with who asked first.
                for answer in [*_answers(server, client, 4), *_answers(server, client)]:
                    assert answer.status_code == 503, answer.text
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert int(answer.headers["retry-after"]) > 0
            server.wait_ready()
            assert [one.status_code for one in _answers(server, client)][:3] == [one.status_code for one in before][:3]


def _answers(server: Server, client: httpx.Client, times: int = 1) -> list[httpx.Response]:
    """What comes of asking everything at once; an answer that takes over half a minute is an error."""
    machine = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    plain = httpx.Client(base_url=server.url, timeout=30, headers=machine)
    with closing(plain), ThreadPoolExecutor(len(ASKED) * times) as pool:
        asked = [
            pool.submit((plain if content is RECORD else client).request, method, path, content=content or None)
            for method, path, content in ASKED * times
        ]
        return [one.result() for one in asked]


@contextmanager
def _standing_still(server: Server) -> Iterator[None]:
    postmaster = server.process_of("postgres")
    postmaster.suspend()  # first: it makes no others then
    standing = [postmaster, *postmaster.children(recursive=True)]
    for process in standing:
        # Some end just then, because whom they served has.
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in standing:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def _gone(server: Server) -> Iterator[None]:
    supervisor, postmaster = psutil.Process(server.process.pid), server.process_of("postgres")
    both = [postmaster, *postmaster.children(recursive=True)]
    supervisor.suspend()
    try:
        postmaster.kill()
        psutil.wait_procs(both, 10)
        yield
    finally:
        supervisor.resume()
