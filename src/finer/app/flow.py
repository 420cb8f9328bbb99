"""Which domain fact wakes which handler, in the order the data travels. docs/reference/flow.md is made from this."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from finer.decisions import handlers as decisions
from finer.facts.decisions import AlertResolved, CaseActionAsked, CaseActionUndone, CaseClosed, CaseOpened
from finer.facts.privacy import ErasureApproved
from finer.fraud import handlers as fraud
from finer.kit import runs
from finer.kit.actors import Actor, Fact
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

GATHERING: frozenset[Handler] = frozenset({warehouse.append_label, decisions.tell_of_case})
"""Handlers that take a list: all their facts of a firm that wait. A commit to the lake costs as much for one as for
many, and of many new cases only the latest urgent one is told."""
GATHERED_MAX = 1_000
QUEUE = "facts"

_BY_NAME: dict[str, type[Fact]] = {fact.name: fact for fact in FLOW}


def handler_name(handler: Handler) -> str:
    """`warehouse.append_label`: domain and function."""
    return f"{handler.__module__.split('.')[1]}.{handler.__name__}"


def deliver(tx: Tx, facts: list[Fact]) -> None:
    """One run of a job per handler of each fact, in the transaction that recorded the fact."""
    actor = msgspec.to_builtins(tx.actor)
    # A burst opens thousands of cases at once, and a person may judge hundreds of alerts.
    wanted: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        arguments = {"actor": actor, "fact": fact.name, "body": msgspec.to_builtins(fact)}
        for handler in FLOW[type(fact)]:
            wanted.setdefault(handler.__name__, []).append(arguments)
    for job, each in wanted.items():
        runs.start_each(tx, job, each, queue=QUEUE)


def read_fact(arguments: Mapping[str, Any]) -> tuple[Fact, Actor]:
    """The fact of a run, and who made it happen."""
    return msgspec.convert(arguments["body"], _BY_NAME[arguments["fact"]]), msgspec.convert(arguments["actor"], Actor)


def handle(tx: Tx, handler: Handler, fact: Fact, access: LakeAccess) -> int:
    """Give a handler its fact; one of GATHERING takes along what waits behind it, in the order it was recorded.

    The runs of those facts are gone when this transaction commits, and wait as before when it does not. Returns the
    number of facts.
    """
    if handler not in GATHERING:
        handler(tx, fact, access)
        return 1
    more = runs.take_queued(tx, handler.__name__, GATHERED_MAX)
    facts = [fact, *(read_fact(arguments)[0] for arguments in more)]
    handler(tx, facts, access)
    return len(facts)


def happening(fact: type[Fact]) -> str:
    """`alert resolved`: a fact in words."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", fact.__name__).lower()
