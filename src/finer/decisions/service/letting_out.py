"""Who may let money out alone: up to a limit in a case, and within a day by one person, and to one customer."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta

from finer.decisions.rules.letting_out import why_two
from finer.decisions.store.letting_out import LettingOutStore
from finer.decisions.types.cases import Case
from finer.decisions.types.letting_out import LetOut, TwoPeople
from finer.kit.settings import Settings
from finer.kit.tx import Tx

A_DAY = timedelta(hours=24)


def takes_two(
    tx: Tx, settings: Settings, case: Case, accounts: Collection[str], usd_minor: int | None, target: str, *,
    whole: bool, in_case_usd_minor: int = 0,
) -> TwoPeople | None:  # fmt: skip
    """Why letting out this much in a locked case takes a second person; None when the caller may do it alone.

    Then nobody else of the firm lets anything out until this transaction ends, so that two acts of one moment, in two
    cases, count each other. `accounts` are those that the act is about, `target` is its payment or what
    was blocked; `whole` says that it is about all of the case, `in_case_usd_minor` what else of it was let out.
    """
    if usd_minor is None:
        return TwoPeople.UNKNOWN
    person = person_of(tx)
    this = LetOut(case_id=case.id, target=target, whole=whole, usd_minor=usd_minor, by=person, same_customer=True)
    store = LettingOutStore(tx)
    store.one_at_once()
    reached = [one for one in (case.account_id, *accounts) if one]
    recent = store.alone_since(tx.now() - A_DAY, person, case.customer_id, reached)
    return why_two(this, in_case_usd_minor, recent, settings.case_four_eyes_usd * 100)


def person_of(tx: Tx) -> uuid.UUID | None:
    """Who acts, if it is a person."""
    return uuid.UUID(tx.actor.id) if tx.actor.kind == "user" else None
