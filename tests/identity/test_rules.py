from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.identity.errors import NotAcceptable
from finer.identity.rules import checks
from finer.identity.rules.context_words import is_made_of
from finer.identity.rules.throttle import ACCOUNT, ADDRESS, Patience, account_key, address_key, wait_s

_NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("check", "refused"),
    [
        (checks.check_slug, ["", "a", "-ab", "Acme", "acme\n", "a" * 41, "ac me", "acmé"]),
        (checks.check_email, ["", "a", "@b", "a@", "a b@c", "ana@bank.example\x00", "\u0430na@bank.example", "a@b@c"]),
        (checks.check_name, ["", "   ", "x" * 121, "a\x00b", "a\u202eb", "\x1b[31m"]),
        (checks.check_password, ["", "short", "x" * 257]),
        (checks.check_currency, ["", "php", "PESO", "PHP\n"]),
        (checks.check_zone, ["", "Mars/Olympus", "../../etc/passwd", "Asia/Manila\x00"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(check: Callable[[str], str], refused: list[str]) -> None:
    for text in refused:
        with pytest.raises(NotAcceptable) as caught:
            check(text)
        assert caught.value.detail.endswith((".", "PHP.", "Manila."))


def test_an_address_is_kept_in_lower_case() -> None:
    assert checks.check_email("  Ana@Bank.Example ") == "ana@bank.example"
    assert checks.read_email("Ana@Bank.Example") == "ana@bank.example"
    assert checks.read_email("Ana at Bank") is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_a_key(text: str) -> None:
    found = checks.read_key(text)
    assert found is None or f"fk_{found[0]}_{found[1]}" == text


@given(
    st.sampled_from([ACCOUNT, ADDRESS]),
    st.integers(0, 10_000),
    st.integers(-5, 5000),
)
def test_the_wait_grows_with_the_attempts_and_ends(patience: Patience, attempts: int, passed_s: int) -> None:
    last = _NOW - timedelta(seconds=passed_s)
    wait = wait_s(patience, attempts, last, _NOW)
    assert 0 <= wait <= patience.longest_s + 5
    assert wait <= wait_s(patience, attempts + 1, last, _NOW)
    if attempts < patience.free or passed_s >= patience.longest_s:
        assert wait == 0
    if passed_s <= 0 and attempts >= patience.free:
        assert wait >= patience.first_s


def test_an_address_counts_as_what_one_customer_has() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:1")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("203.0.113.7") != address_key("203.0.113.8")
    assert address_key("::ffff:203.0.113.7") == address_key("203.0.113.7")
    assert address_key("") == address_key("not an address") != account_key("not an address")


@pytest.mark.parametrize(
    ("password", "made"),
    [
        ("finer-finer-2026", True), ("Fr4udM0nit0r!2026", True), ("Acme.Bank.Manila", True), ("P@ssw0rdP@ssw0rd", True),
        ("anacruz-anacruz1", True), ("WelcomeToAcmeBank", True), ("summer2026summer", True), ("123456789012", False),
        ("correct horse battery staple", False), ("seven quiet otters paint", False), ("", False),
        ("ñandúñandúñandú", False),
    ],
)  # fmt: skip
def test_a_password_of_nothing_but_words_of_the_context(password: str, made: bool) -> None:
    assert is_made_of(password, ("ana.cruz@acme.example", "Ana Cruz", "Acme Bank", "acme")) is made
