"""Wilson's bounds hold what was counted, and say nothing that arithmetic made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.shares import wilson_bounds


@given(st.integers(1, 10**9).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_between_its_bounds(counted: tuple[int, int]) -> None:
    hits, of = counted
    low, high = wilson_bounds(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert (low == 0) == (hits == 0)
    assert (high == 1) == (hits == of)


def test_they_are_those_of_the_paper() -> None:
    """10 of 100: 5.52 % to 17.44 %, as textbooks have it."""
    assert wilson_bounds(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)


def test_more_cases_say_more() -> None:
    few, many = wilson_bounds(3, 10), wilson_bounds(300, 1_000)
    assert many[1] - many[0] < (few[1] - few[0]) / 5
