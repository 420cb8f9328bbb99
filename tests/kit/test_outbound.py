"""The one door out: what it refuses to ask, and what it refuses to take (attack E01 of the catalogue)."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from finer.kit.outbound import Outbound, OutboundRefused, is_outside
from finer.kit.settings import load_settings
from tests.support.receivers import Handler, serving

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
    "2002:7f00:1::1", "2002:808:808::1", "2001::1", "2001:db8::1", "100::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_e01_an_address_inside_is_not_outside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "0", "10.0.0.1", "localhost.", "[fe80::1%25lo]"],
)  # fmt: skip
def test_e01_no_spelling_of_an_inside_address_is_asked(host: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound().get(f"https://{host}/x")


@pytest.mark.parametrize(
    "url",
    ["http://8.8.8.8/", "https://8.8.8.8:22/", "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "https://",
     "https://user:word@8.8.8.8/", "https://8.8.8.8\\@127.0.0.1/", "https://8.8.8.8/a b", "https://\uff45xample.com/",
     "https://8.8.8.8:99999/", "https://8.8.8.8/\r\nX: y", "//8.8.8.8/", "https://[::1",
     "https://8.8.8.8/" + "a" * 3000],
)  # fmt: skip
def test_e01_what_is_no_plain_https_address_is_not_asked(url: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound().check(url)


def test_e01_a_name_with_one_inside_address_among_others_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(OutboundRefused, match="inside"):
        Outbound().get("https://idp.example/")


def test_e01_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *arguments: Any, **more: Any) -> Any:
        if host != "idp.example":
            asked.append(host)
            return real(host, *arguments, **more)
        inside = "127.0.0.1" if asked else "192.0.2.1"
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (inside, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(OutboundRefused):
        Outbound().get("https://idp.example/")
    assert asked == ["idp.example"]


def test_a_listed_host_is_asked_and_only_on_its_port() -> None:
    with serving(x=lambda handler: handler.say(200, b'{"a":1}')) as (host, seen):
        answer = Outbound([f" {host} "]).get(f"http://{host}/x")
        assert (answer.status, answer.body) == (200, b'{"a":1}')
        with pytest.raises(OutboundRefused, match="FINER_OUTBOUND_HOSTS"):
            Outbound([f"127.0.0.1:{1}"]).get(f"http://{host}/x")
        assert seen == ["/x"]


def test_e01_a_redirect_is_not_followed() -> None:
    with serving(x=lambda handler: handler.say(302, Location="/y"), y=lambda handler: handler.say(200)) as (host, seen):
        with pytest.raises(OutboundRefused, match="redirect"):
            Outbound([host]).get(f"http://{host}/x")
        assert seen == ["/x"]


def test_e03_more_than_the_limit_is_not_read() -> None:
    with serving(x=lambda handler: handler.say(200, b"a" * 100_000)) as (host, _):
        with pytest.raises(OutboundRefused, match="KiB"):
            Outbound([host]).get(f"http://{host}/x", bytes_max=50_000)
        packed = Outbound([host]).get(f"http://{host}/x")
        assert len(packed.body) == 100_000


def test_e03_an_answer_that_drips_is_given_up_when_the_time_is_over() -> None:
    gone = threading.Event()

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):
            if gone.wait(0.02):
                return
            try:
                handler.wfile.write(b"a")
            except OSError:
                return

    with serving(x=drip) as (host, _):
        with pytest.raises(OutboundRefused, match=r"too long|timed out"):
            Outbound([host], timeout_s=0.3).get(f"http://{host}/x")
        gone.set()


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(x=lambda handler: handler.say(200)) as (host, _):
        assert Outbound([host]).post_form(f"http://{host}/x", {"a": "b"}).status == 200


def test_a_name_that_nobody_knows_says_so() -> None:
    with pytest.raises(OutboundRefused, match="not known"):
        Outbound().get("https://nobody.invalid/")


@pytest.mark.parametrize(
    ("only", "host", "asked"),
    [
        ("id.acme.example", "id.acme.example", True), ("id.acme.example", "ID.ACME.EXAMPLE", True),
        ("id.acme.example", "evil.example", False), ("id.acme.example", "id.acme.example.evil.example", False),
        ("*.acme.example", "a.b.acme.example", True), ("*.acme.example", "acme.example", False),
        ("*.acme.example", "evilacme.example", False), ("a.example, *.b.example", "x.b.example", True),
        ("", "anything.example", True), ("a.example", "listed.internal", True),
    ],
)  # fmt: skip
def test_e01_only_the_hosts_that_an_operator_names_are_asked(only: str, host: str, asked: bool) -> None:
    door = Outbound.of(load_settings({}, outbound_only=only, outbound_hosts="listed.internal:443"))
    if asked:
        door.check(f"https://{host}/x")
        return
    with pytest.raises(OutboundRefused, match="FINER_OUTBOUND_ONLY"):
        door.check(f"https://{host}/x")
