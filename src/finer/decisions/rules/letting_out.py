"""How much money is let out together, in whatever parts: the same money is counted once."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable

from finer.decisions.types.letting_out import LetOut, TwoPeople


def together(acts: Iterable[LetOut]) -> int:
    """USD cents that these acts let out: of each case the payments, or once all that it is about."""
    wholes: dict[uuid.UUID, int] = defaultdict(int)
    parts: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    for one in acts:
        if one.whole:
            wholes[one.case_id] = max(wholes[one.case_id], one.usd_minor)
        else:
            parts[one.case_id][one.target] = one.usd_minor
    return sum(max(wholes.get(case, 0), sum(parts.get(case, {}).values())) for case in {*wholes, *parts})


def why_two(this: LetOut, in_case_usd_minor: int, recent: Iterable[LetOut], limit_usd_minor: int) -> TwoPeople | None:
    """Why this act takes a second person; None when who asks for it may do it alone.

    `recent` is what was let out alone by the same person or to the same customer or account within the day.
    """
    known = list(recent)
    if this.usd_minor + in_case_usd_minor >= limit_usd_minor:
        return TwoPeople.MUCH
    if together([this, *(one for one in known if one.by == this.by)]) >= limit_usd_minor:
        return TwoPeople.PERSON
    if together([this, *(one for one in known if one.same_customer)]) >= limit_usd_minor:
        return TwoPeople.CUSTOMER
    return None
