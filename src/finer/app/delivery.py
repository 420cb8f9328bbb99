"""Delivering facts in processes that seldom record one: what facts wake is loaded with the first of them."""

from __future__ import annotations

from finer.kit.actors import Fact
from finer.kit.tx import Tx


def deliver(tx: Tx, facts: list[Fact]) -> None:
    """As `finer.app.flow.deliver`, which takes half a second to load and half of such a process's memory to keep."""
    from finer.app import flow  # noqa: PLC0415

    flow.deliver(tx, facts)
