"""What may stand where a body or a parameter holds a word that is none of those known there."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from finer.kit import allowed


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Card(msgspec.Struct, tag="card", tag_field="kind"):
    network: Literal["amex", "visa"] = "visa"


class Bank(msgspec.Struct, tag="bank", tag_field="kind"):
    name: str = ""


class Part(msgspec.Struct):
    colour: Annotated[Colour, msgspec.Meta(description="How it looks.")] = Colour.RED
    others: list[Colour] | None = None


class Body(msgspec.Struct):
    parts: Annotated[list[Part], msgspec.Meta(max_length=5)] = []
    pair: tuple[Colour, ...] = ()
    by_name: dict[str, Colour] = {}
    pay: Card | Bank | None = None
    first: Colour = msgspec.field(default=Colour.RED, name="from")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": "x"}, "from: Invalid enum value 'x'. It may be red, blue"),
        ({"parts": [{}, {"colour": "x"}]}, "parts[1].colour: Invalid enum value 'x'. It may be red, blue"),
        ({"parts": [{"others": ["x"]}]}, "parts[0].others[0]: Invalid enum value 'x'. It may be red, blue"),
        ({"pair": ["x"]}, "pair[0]: Invalid enum value 'x'. It may be red, blue"),
        ({"by_name": {"a.b": "x"}}, "by_name[...]: Invalid enum value 'x'. It may be red, blue"),
        ({"pay": {"kind": "x"}}, "pay.kind: Invalid value 'x'. It may be card, bank"),
        ({"pay": {"kind": "card", "network": "x"}}, "pay.network: Invalid enum value 'x'. It may be amex, visa"),
        ({"from": 7}, "from: Expected `str`, got `int`"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_those_that_are(given: Any, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Body)
    assert allowed.problem(Body, caught.value) == said


def test_of_what_has_no_words_nothing_is_told() -> None:
    assert allowed.told(Any, "Invalid enum value 'x'", "a.b") == "Invalid enum value 'x'"
    assert (
        allowed.told(list[Colour] | None, "Invalid enum value 'x'", "") == "Invalid enum value 'x'. It may be red, blue"
    )
