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
"""Runs that one takes along."""
_TOGETHER = 200
"""Facts of one transaction that are one run of those handlers: a burst opens thousands of cases."""
QUEUE = "facts"

_BY_NAME: dict[str, type[Fact]] = {fact.name: fact for fact in FLOW}


def handler_name(handler: Handler) -> str:
    """`warehouse.append_label`: domain and function."""
    return f"{handler.__module__.split('.')[1]}.{handler.__name__}"


def deliver(tx: Tx, facts: list[Fact]) -> None:
    """Runs of a job for each handler of the facts, in the transaction that recorded them.

    A run is about one fact, or about many of one kind where the handler is one of GATHERING.
    """
    actor = msgspec.to_builtins(tx.actor)
    wanted: dict[tuple[Handler, str], list[Fact]] = {}
    for fact in facts:
        for handler in FLOW[type(fact)]:
            wanted.setdefault((handler, fact.name), []).append(fact)
    for (handler, name), of in wanted.items():
        together = _TOGETHER if handler in GATHERING else 1
        parts = [of[first : first + together] for first in range(0, len(of), together)]
        each = [{"actor": actor, "fact": name, "bodies": msgspec.to_builtins(part)} for part in parts]
        runs.start_each(tx, handler.__name__, each, queue=QUEUE)


def read_facts(arguments: Mapping[str, Any]) -> tuple[list[Fact], Actor]:
    """The facts of a run, in their order, and who made them happen."""
    # Earlier versions made a run of each fact, and such runs may wait.
    bodies = arguments["bodies"] if "bodies" in arguments else [arguments["body"]]
    kind = _BY_NAME[arguments["fact"]]
    return [msgspec.convert(body, kind) for body in bodies], msgspec.convert(arguments["actor"], Actor)


def handle(tx: Tx, handler: Handler, facts: list[Fact], access: LakeAccess) -> int:
    """Give a handler its facts; one of GATHERING takes along what waits behind them, in the order it was recorded.

    The runs of those facts are gone when this transaction commits, and wait as before when it does not. Returns the
    number of facts.
    """
    if handler not in GATHERING:
        for fact in facts:
            handler(tx, fact, access)
        return len(facts)
    more = runs.take_queued(tx, handler.__name__, GATHERED_MAX)
    facts = [*facts, *(fact for arguments in more for fact in read_facts(arguments)[0])]
    handler(tx, facts, access)
    return len(facts)


def happening(fact: type[Fact]) -> str:
    """`alert resolved`: a fact in words."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", fact.__name__).lower()
