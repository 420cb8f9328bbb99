"""Comparing: names of any script and order, what contradicts, and candidates that miss nothing that is alike."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.screening.rules.candidates import Candidates
from finer.screening.rules.matching import alike, compare
from finer.screening.rules.names import sound, words
from finer.screening.types import THRESHOLD, EntityType, Entry, ListedEntry, Profile


def person(*names: str, born: str = "", country: str = "", number: str = "", gender: str = "") -> Profile:
    """Somebody."""
    return Profile(
        names=names, type=EntityType.PERSON, birth_dates=(born,) if born else (),
        countries=(country,) if country else (), identifiers=(number,) if number else (),
        genders=(gender,) if gender else (),
    )  # fmt: skip


def firm(name: str) -> Profile:
    """An organisation."""
    return Profile(names=(name,), type=EntityType.ORGANISATION)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vladimir Putin", "PUTIN, Vladimir Vladimirovich"),
        ("Владимир Путин", "Vladimir Putin"),
        ("Muhammad al-Gaddafi", "Mohamed Al Qadhafi"),
        ("Jean-Claude Duvalier", "Jeanclaude Duvalier"),
        ("Osama bin Laden", "Usama Bin Ladin"),
        ("Dr. Ramzan Kadyrov", "Ramzan Akhmatovich Kadyrov"),
        ("Abu Bakr Baghdadi", "Abubakr al Baghdadi"),
        ("Jose Maria Sison", "José María Sison"),
    ],
)
def test_the_same_person_written_otherwise_is_a_hit(one: str, other: str) -> None:
    assert compare(person(one), person(other)).score >= THRESHOLD


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("John Smith", "John Gruber"),
        ("Maria Santos", "Mario Sanchez"),
        ("Vladimir Putin", "Putin"),
        ("Ali Hassan", "Hassan Rouhani"),
        ("Kim Lee", "Kim Jong Un"),
    ],
)
def test_other_people_are_none(one: str, other: str) -> None:
    assert compare(person(one), person(other)).score < THRESHOLD


def test_what_contradicts_is_taken_off() -> None:
    plain = person("Ivan Petrov", born="1960-05-04", country="RU", gender="male")
    assert compare(plain, plain).score == 1
    assert compare(person("Ivan Petrov", country="PH"), plain).score == pytest.approx(0.8)
    assert compare(person("Ivan Petrov", born="1960-05-05"), plain).score == pytest.approx(0.75)
    assert compare(person("Ivan Petrov", born="1960-04-05"), plain).score == pytest.approx(0.875)
    assert compare(person("Ivan Petrov", born="1985-01-02"), plain).score == pytest.approx(0.6)
    assert compare(person("Ivan Petrov", born="1960"), plain).score == 1
    assert compare(person("Ivan Petrov", gender="female"), plain).score == pytest.approx(0.8)
    features = {one.name: one for one in compare(person("Ivan Petrov", country="PH"), plain).features}
    assert (features["country"].score, features["country"].subject, features["country"].entry) == (1, "PH", "RU")


def test_a_document_counts_whatever_the_name_is() -> None:
    found = compare(person("Somebody Else", number="p-123 456"), person("Ivan Petrov", number="P123456"))
    assert found.score == pytest.approx(0.85)
    assert compare(person("Some One", number="12"), person("Ivan Petrov", number="12")).score < THRESHOLD


def test_firms_are_compared_without_their_legal_form_and_with_their_numbers() -> None:
    assert compare(firm("Rosneft Trading Ltd."), firm("OOO Rosneft Trading")).score == 1
    assert compare(firm("Fund 7 LLC"), firm("Fund 9 LLC")).score < THRESHOLD


@given(st.lists(st.text("abcdefghiklmnoprstuvyz", min_size=2, max_size=9), min_size=1, max_size=5), st.randoms())
def test_likeness_is_a_share_and_order_does_not_count(name: list[str], chance: object) -> None:
    shuffled = list(name)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert alike(tuple(name), tuple(shuffled)) == 1
    assert 0 <= alike(tuple(name), ("zzyzx", "quux")) <= 1


@given(st.text(max_size=60))
def test_any_text_has_words_and_sounds(name: str) -> None:
    for word in words(name):
        assert word.isascii()
        assert sound(word)


NAMES = [
    "Vladimir Putin", "Mohamed Gaddafi", "Ramzan Kadyrov", "Kim Jong Un", "Ali Hassan Majid", "Maria Santos",
    "Jose Maria Sison", "Ivan Petrov", "Usama Bin Ladin", "Nicolas Maduro Moros",
]  # fmt: skip
LISTED = [
    ListedEntry(list_id=uuid.UUID(int=1), entry=Entry(id=str(n), profile=person(name)), content_hash=b"")
    for n, name in enumerate(NAMES)
]


@given(st.sampled_from(NAMES), st.data())
def test_candidates_find_what_a_look_at_everything_finds(name: str, data: st.DataObject) -> None:
    # One slip anywhere but at the very first letter.
    at = data.draw(st.integers(1, len(name) - 1))
    slipped = name[:at] + data.draw(st.sampled_from(["", "a", "t", name[at] * 2])) + name[at + 1 :]
    subject = person(slipped)
    everything = {one.entry.id for one in LISTED if compare(subject, one.entry.profile).score >= 0.85}
    assert everything <= {one.listed.entry.id for one in Candidates(LISTED).find(subject)}
