"""Firms take turns in what takes long."""

from __future__ import annotations

import uuid

from finer.app.turns import Turns

_ONE, _TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def test_firms_take_turns_and_each_keeps_its_order() -> None:
    turns = Turns[str](9)
    for firm, work in [(_ONE, "a"), (_ONE, "b"), (_ONE, "c"), (_TWO, "x"), (_TWO, "y")]:
        assert turns.put(firm, work)
    turns.close()
    assert [turns.take() for _ in range(6)] == ["a", "x", "b", "y", "c", None]


def test_only_so_many_of_a_firm_wait() -> None:
    turns = Turns[str](1)
    assert turns.put(_ONE, "a")
    assert not turns.put(_ONE, "b")
    assert turns.put(_TWO, "x")
    assert turns.take() == "a"
    assert turns.put(_ONE, "c")
