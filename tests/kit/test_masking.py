"""One serializer masks by class of data, wherever a classified field is."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.masking import (
    UNMASKED,
    DataClass,
    Form,
    Masking,
    card,
    classes_of,
    classified,
    mask,
    personal,
    sensitive,
    show,
)

PARTLY = Masking({DataClass.PERSONAL: Form.PARTIAL, DataClass.SENSITIVE: Form.PARTIAL, DataClass.CARD: Form.PARTIAL})
ABSENT = Masking({})


class Person(msgspec.Struct, frozen=True):
    """Somebody, with something of each class."""

    name: str
    email: Annotated[str | None, personal("email")]
    account: Annotated[str | None, personal()] = None
    born: Annotated[str | None, personal("year")] = None
    income: Annotated[int | None, sensitive("rounded")] = None
    card: Annotated[str | None, card("same")] = None


class Page(msgspec.Struct, frozen=True):
    """A list, and a mapping."""

    items: list[Person]
    by_name: dict[str, Person] = {}


class Plain(msgspec.Struct, frozen=True):
    """Nothing to hide."""

    name: str


class Heir(Plain, frozen=True, kw_only=True):
    """Something to hide."""

    email: Annotated[str | None, personal("email")]


class Box(msgspec.Struct, frozen=True):
    """Declared to hold nothing to hide, and anything."""

    things: list[Plain]
    anything: Any = None


ANA = Person("Ana", "ana.cruz@x.com", "PH-0012345678", "1984-02-03", 52_300, "4242")


def test_every_class_has_its_partial_form() -> None:
    assert mask(ANA, PARTLY) == Person("Ana", "a***@x.com", "****5678", "1984", 50_000, "4242")


def test_a_class_that_is_not_named_is_absent() -> None:
    assert mask(ANA, ABSENT) == Person("Ana", None)


def test_clear_is_the_same_object() -> None:
    page = Page([ANA], {"ana": ANA})
    assert mask(page, UNMASKED) is page


def test_b03_nothing_escapes_inside_lists_mappings_and_structs() -> None:
    shown: Any = mask({"pages": [Page([ANA], {"ana": ANA}), (ANA, 7)]}, PARTLY)
    text = msgspec.json.encode(shown).decode()
    assert not [secret for secret in ("ana.cruz", "PH-00", "1984-02", "52300") if secret in text]
    assert text.count("****5678") == 3


def test_a_struct_that_inherits_is_masked_too() -> None:
    class Longer(Person, frozen=True, kw_only=True):
        more: int

    assert mask(Longer("Ana", "ana@x.com", more=1), PARTLY).email == "a***@x.com"
    assert set(classes_of(Longer)) == {"email", "account", "born", "income", "card"}


def test_the_class_is_in_the_schema() -> None:
    schema = msgspec.json.schema(Person)["$defs"]["Person"]["properties"]
    assert schema["email"]["x-data-class"] == "personal"
    assert "x-data-class" not in schema["name"]


@given(st.text(max_size=40))
def test_a_tail_never_shows_more_than_half(value: str) -> None:
    shown = str(show(value, DataClass.PERSONAL, "tail", PARTLY))
    assert shown.startswith("****")
    assert len(shown) - 4 <= len(value) / 2


@pytest.mark.parametrize("value", ["", "no address", "@x.com", "a@b@c"])
def test_what_only_looks_like_an_address_is_masked_all_the_same(value: str) -> None:
    shown = str(show(value, DataClass.PERSONAL, "email", PARTLY))
    assert "***" in shown
    assert "address" not in shown


@pytest.mark.parametrize(
    ("value", "rounded"), [(52_300, 50_000), (0, 0), (-999, -1000), (0.123, 0.1), ("word", None), (True, 1)]
)
def test_rounding_keeps_one_digit(value: Any, rounded: Any) -> None:
    assert show(value, DataClass.SENSITIVE, "rounded", PARTLY) == rounded


def test_secrets_have_no_form_but_absent_unless_they_are_named() -> None:
    assert show("token", DataClass.SECRET, "gone", PARTLY) is None
    assert classified(DataClass.SECRET, "gone").extra == {"data_class": (DataClass.SECRET, "gone")}


def test_b03_an_heir_of_a_harmless_struct_is_looked_into() -> None:
    box = Box([Heir(name="Ana", email="ana@x.com")], {"deep": [ANA]})
    text = msgspec.json.encode(mask(box, PARTLY)).decode()
    assert "ana@x.com" not in text
    assert "ana.cruz" not in text
