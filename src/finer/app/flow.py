"""Which domain fact wakes which handler, in the order the data travels. docs/reference/flow.md is made from this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from finer.decisions import handlers as decisions
from finer.facts.decisions import AlertResolved, CaseActionAsked, CaseActionUndone, CaseClosed, CaseOpened
from finer.facts.privacy import ErasureApproved
from finer.fraud import handlers as fraud
from finer.kit.actors import Actor, Fact
from finer.kit.jobs import defer, take_waiting
from finer.kit.tx import Tx
from finer.privacy import handlers as privacy
from finer.warehouse import handlers as warehouse
from finer.warehouse.service.lake import LakeAccess

Handler = Callable[..., None]

FLOW: dict[type[Fact], tuple[Handler, ...]] = {
    CaseOpened: (decisions.tell_of_case,),
    CaseActionAsked: (fraud.block,),
    CaseActionUndone: (fraud.unblock,),
    AlertResolved: (warehouse.append_label,),
    CaseClosed: (decisions.settle_case,),
    ErasureApproved: (privacy.erase_person,),
}

GATHERING: frozenset[Handler] = frozenset({warehouse.append_label})
"""Handlers that take a list: all their facts of a firm that wait. A commit to the lake costs as much for one as for
many."""
GATHERED_MAX = 1_000

_BY_NAME: dict[str, type[Fact]] = {fact.name: fact for fact in FLOW}


def handler_name(handler: Handler) -> str:
    """`warehouse.append_label`: domain and function."""
    return f"{handler.__module__.split('.')[1]}.{handler.__name__}"


def deliver(tx: Tx, facts: list[Fact]) -> None:
    """One durable job per handler of each fact, in the transaction that recorded the fact."""
    for fact in facts:
        for handler in FLOW[type(fact)]:
            defer(
                tx,
                "finer.handle_fact",
                {
                    "tenant": str(tx.tenant),
                    "actor": msgspec.to_builtins(tx.actor),
                    "fact": fact.name,
                    "handler": handler_name(handler),
                    "body": msgspec.to_builtins(fact),
                },
                queue="facts",
                lock=_lock(tx, handler),
            )


def handle(tx: Tx, handler: Handler, fact: Fact, access: LakeAccess) -> None:
    """Give a handler its fact; one of GATHERING takes along what waits behind it, in the order it was recorded.

    The jobs of those facts are gone when this transaction commits, and wait as before when it does not.
    """
    if handler not in GATHERING:
        handler(tx, fact, access)
        return
    more = take_waiting(tx, "finer.handle_fact", _lock(tx, handler), GATHERED_MAX)
    handler(tx, [fact, *(msgspec.convert(job["body"], _BY_NAME[job["fact"]]) for job in more)], access)


def _lock(tx: Tx, handler: Handler) -> str:
    return f"{handler_name(handler)}:{tx.tenant}"


def find(fact: str, handler: str, body: dict[str, Any], actor: dict[str, Any]) -> tuple[Handler, Fact, Actor]:
    """The handler and the fact behind a job's arguments."""
    kind = _BY_NAME[fact]
    found = next(candidate for candidate in FLOW[kind] if handler_name(candidate) == handler)
    return found, msgspec.convert(body, kind), msgspec.convert(actor, Actor)
