"""Who asks, from where, and under which name."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from finer.identity.errors import NotAcceptable
from finer.identity.rules.addresses import (
    answers_to,
    check_networks,
    client_address,
    host_fits,
    read_networks,
    within,
)

PROXIES = read_networks("10.0.0.0/8, 2001:db8:1::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's proxy: what it says is not believed
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left part a caller may have made up
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:1::5", "2001:db8:2::9", "2001:db8:2::9"),
        ("", "198.51.100.1", ""),
        ("10.0.0.1", ",".join(["10.0.0.2"] * 500), "10.0.0.2"),
    ],
)
def test_b06_forwarded_addresses_count_only_as_far_as_our_proxies_vouch(peer: str, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == found


def test_without_trusted_proxies_nothing_that_is_forwarded_counts() -> None:
    assert client_address("10.0.0.1", "198.51.100.1", ()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("finer.example", True), ("FINER.example:8443", True), ("finer.example.", True), ("localhost:8000", True),
        ("[::1]:8000", True), ("", False), ("evil.example", False), ("finer.example.evil.example", False),
        ("finer.example@evil.example", False), ("evil.example/finer.example", False), ("finer.example:", True),
        ("finer.example, evil.example", False), ("finer.example evil", False), ("finer.example:port", False),
        ("finer.example#", False), ("evil.example#finer.example", False), ("finer\x00.example", False),
    ],
)  # fmt: skip
def test_b06_finer_answers_under_its_own_names(host: str, fits: bool) -> None:
    assert host_fits(host, answers_to("", "https://finer.example")) is fits


def test_an_installation_without_an_address_answers_to_any_name() -> None:
    assert host_fits("anything.example", answers_to("", ""))
    assert not host_fits("anything.example", answers_to("a.example, b.example", ""))
    assert host_fits("b.example", answers_to("a.example, b.example", "https://c.example"))
    assert host_fits("c.example", answers_to("a.example", "https://c.example"))


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        ([], "198.51.100.1", True),
        (["198.51.100.0/24"], "198.51.100.1", True),
        (["198.51.100.0/24"], "198.51.101.1", False),
        (["198.51.100.0/24", "2001:db8::/32"], "2001:db8::1", True),
        (["198.51.100.0/24"], "::ffff:198.51.100.7", True),
        (["198.51.100.0/24"], "", False),
        (["198.51.100.0/24"], "testclient", False),
    ],
)
def test_an_address_lies_in_a_network_or_not(networks: list[str], address: str, inside: bool) -> None:
    assert within(networks, address) is inside


def test_networks_are_checked_and_stored_in_one_form() -> None:
    assert check_networks([" 203.0.113.7/32", "203.0.113.7", "2001:DB8::/32"]) == ["2001:db8::/32", "203.0.113.7/32"]
    for bad in ("203.0.113.7/24", "everywhere", "", "1.2.3.4/33", "010.0.0.0/8"):
        with pytest.raises(NotAcceptable):
            check_networks([bad])
    with pytest.raises(NotAcceptable, match="At most 50"):
        check_networks([str(ip_network(f"10.0.{number}.0/24")) for number in range(51)])
