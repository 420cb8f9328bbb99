"""Documents that several parts of the API share, as they leave the system. Each is a schema of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

import msgspec

from finer.kit import money


class Money(msgspec.Struct, frozen=True):
    """An amount: exact minor units of a currency (ISO 4217 code), and a text for people."""

    minor: int
    currency: str
    text: Annotated[str, msgspec.Meta(examples=["1,250.00 USD"])]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not done (RFC 9457). Further members belong to the `type` of the problem."""

    type: Annotated[str, msgspec.Meta(examples=["urn:finer:problem:not-found"])]
    title: str
    status: int
    detail: Annotated[str, msgspec.Meta(description="What happened, where, and what to do next.")]
    instance: Annotated[str, msgspec.Meta(description="The path that was asked for.")] = ""


def show_money(amount: money.Money) -> Money:
    """An amount as the API shows it."""
    return Money(amount.minor, amount.currency, str(amount))
