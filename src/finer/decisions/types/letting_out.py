"""What one person lets out alone, and why that takes a second one."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec


class LetOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of a case that was let go, or a block that was undone, by one person alone; in USD cents.

    A block stands before all that its case is about (`whole`), a payment is a part of it. `target` names either.
    """

    case_id: uuid.UUID
    target: str
    whole: bool
    usd_minor: int
    by: uuid.UUID | None
    same_customer: bool


class TwoPeople(StrEnum):
    """Why letting money out takes a second person."""

    UNKNOWN = "unknown"
    MUCH = "much"
    PERSON = "person"
    CUSTOMER = "customer"

    def sentence(self) -> str:
        """The same in words."""
        return _SENTENCES[self]


_SENTENCES = {
    TwoPeople.UNKNOWN: "Nobody knows what it is worth in US dollars",
    TwoPeople.MUCH: "It reaches the limit, with what was released in this case before",
    TwoPeople.PERSON: "It reaches the limit with what the same person let out alone in 24 hours",
    TwoPeople.CUSTOMER: "It reaches the limit with what was let out to this customer or account in 24 hours",
}
