"""D05, I08: what only raw sockets can do: smuggled, slow, endless and oversized requests."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from finer.kit.crypto.keyring import Keyring
from tests.security.world import World
from tests.support.api_process import ApiProcess, api_process

_END = b"\r\n\r\n"
_HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, data_path: Path, keys: Keyring
) -> Iterator[ApiProcess]:
    assert keys is not None
    with api_process(
        tmp_path_factory.mktemp("api"), database_url, data_path / "master.key", FINER_BODY_WAIT_S="2"
    ) as found:
        yield found


def _say(api: ApiProcess, data: bytes, patience_s: float = 15.0) -> bytes:
    """All that comes back until the server closes, or says nothing more for a second after an answer."""
    heard = b""
    with socket.create_connection(("127.0.0.1", api.port), timeout=patience_s) as connection:
        try:
            connection.sendall(data)
            while part := connection.recv(65_536):
                heard += part
                connection.settimeout(1.0)
        except (TimeoutError, ConnectionError):
            pass
    return heard


def _statuses(heard: bytes) -> list[int]:
    return [int(line.split()[1]) for line in heard.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


_SMUGGLED = b"GET /api/v1/health/live HTTP/1.1\r\n" + _HOST + b"X-Smuggled: 1" + _END


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 90\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x10\r\n",
        b"Content-Length: 1e3\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" folded: header\r\n",
        b"Bad\x00Name: x\r\n",
        b"X-Value: a\x00b\r\n",
    ],
)
def test_i08_a_request_whose_end_is_unclear_is_refused(api: ApiProcess, head: bytes) -> None:
    start = b"POST /api/v1/session HTTP/1.1\r\n" + _HOST + b"Content-Type: application/json\r\n" + head + b"\r\n"
    statuses = _statuses(_say(api, start + b"{}\r\n" + _SMUGGLED))
    assert 200 not in statuses, statuses


def test_i08_a_length_beside_chunks_smuggles_nothing(api: ApiProcess) -> None:
    """RFC 9112 section 6.1: the chunks count, and what follows them is no body of the first request."""
    start = b"POST /api/v1/session HTTP/1.1\r\n" + _HOST + b"Content-Type: application/json\r\nContent-Length: 4\r\n"
    heard = _say(api, start + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert _statuses(heard)[:1] == [400]
    assert len(_statuses(heard)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n" + _HOST + b"X-Long: " + b"a" * 200_000 + _END,
        b"GET / HTTP/1.1\r\n" + _HOST + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
        b"A" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000,
    ],
)
def test_i08_oversized_and_foreign_requests_end_and_the_next_is_served(api: ApiProcess, data: bytes) -> None:
    assert 200 not in _statuses(_say(api, data))
    assert httpx.get(f"{api.url}/api/v1/health/live").status_code == 200


def test_d05_a_body_larger_than_allowed_is_refused_before_it_is_there(api: ApiProcess, ours: World) -> None:
    key = ours.key().encode()
    head = b"POST /api/v1/events/transaction HTTP/1.1\r\n" + _HOST + b"Authorization: Bearer " + key
    head += b"\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9999999999" + _END
    started = time.monotonic()
    assert 413 in _statuses(_say(api, head + b"{}\n"))
    assert time.monotonic() - started < 10


def test_d05_endless_chunks_are_refused_at_the_limit(api: ApiProcess, ours: World) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 2**20

    headers = {"Authorization": f"Bearer {ours.key()}", "Content-Type": "application/x-ndjson"}
    try:
        answer = httpx.post(f"{api.url}/api/v1/events/transaction", content=endless(), headers=headers, timeout=30)
    except httpx.TransportError:
        return  # the connection was closed while we were still sending, which is as good
    assert answer.status_code == 413


@pytest.mark.parametrize("path", [b"/api/v1/events/transaction", b"/api/v1/session"])
def test_d05_a_body_that_stops_in_the_middle_is_not_waited_for(api: ApiProcess, ours: World, path: bytes) -> None:
    kind = b"application/json" if path.endswith(b"session") else b"application/x-ndjson"
    head = b"POST " + path + b" HTTP/1.1\r\n" + _HOST + b"Content-Type: " + kind + b"\r\nContent-Length: 1000"
    if not path.endswith(b"session"):
        head += b"\r\nAuthorization: Bearer " + ours.key().encode()
    started = time.monotonic()
    assert _statuses(_say(api, head + _END + b'{"a"')) == [408]
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("path", "size", "closes"),
    [("events/transaction", 2, False), ("events/transaction", 100_000, True), ("session", 8_000, False)],
)
def test_i08_who_is_answered_before_the_body_was_read_is_told_that_the_connection_closes(
    api: ApiProcess, path: str, size: int, *, closes: bool
) -> None:
    """Otherwise the next request goes out on a connection that is being closed, and nobody knows its fate."""
    head = f"POST /api/v1/{path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n".encode()
    # In one piece: a body that is sent behind its head may come after the answer, however small it is.
    heard = _say(api, head + _HOST + b"\r\n" + b" " * size)
    assert _statuses(heard) in ([400], [401])
    assert (b"\r\nconnection: close\r\n" in heard.lower()) is closes


@pytest.mark.parametrize("size", [b"ZZ", b"-5", b"ffffffffffffffffff", b"ff\n{}"])
def test_i08_chunks_that_are_none_are_the_callers_fault(api: ApiProcess, ours: World, size: bytes) -> None:
    head = b"POST /api/v1/events/transaction HTTP/1.1\r\n" + _HOST + b"Authorization: Bearer " + ours.key().encode()
    head += b"\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked" + _END
    assert _statuses(_say(api, head + size + b"\r\n{}\r\n0" + _END)) == [400]


def test_i08_headers_that_trickle_in_are_cut_off(api: ApiProcess) -> None:
    """A connection that does not finish its headers is closed after ten seconds; others are served meanwhile."""
    slow = [socket.create_connection(("127.0.0.1", api.port), timeout=25) for _ in range(50)]
    try:
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert httpx.get(f"{api.url}/api/v1/health/live", timeout=5).status_code == 200
        started = time.monotonic()
        assert 200 not in _statuses(slow[0].recv(4096))
        assert time.monotonic() - started < 20
    finally:
        for one in slow:
            one.close()
