"""How alike two records are: the features and weights that OpenSanctions publishes for logic-v2, computed here.

A score begins with the best of name and identifier, and what contradicts it is taken off: another country, another
birth date, another gender. The weights and what they stand for are those of nomenklatura 4.17, docs/decisions/0032
says why its code is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from finer.screening.rules.names import joined, number, sound, words
from finer.screening.types import Comparison, EntityType, Feature, Profile

IDENTIFIER_WEIGHT, COUNTRY_WEIGHT, GENDER_WEIGHT = 0.85, -0.2, -0.2
BIRTH_YEAR_WEIGHT, BIRTH_DAY_WEIGHT = -0.15, -0.25
WEAK_NAME_WEIGHT = 0.8
"""A name of one word names many; on its own it is worth less."""
_EXTRA_OF_SUBJECT, _EXTRA_OF_ENTRY = 0.8, 0.2
_OTHER_NUMBERS = 0.3
_SOUNDS_ALIKE = 0.9
_JOINED_ALIKE = 0.95
_IDENTIFIER_LENGTH_MIN = 5


def compare(subject: Profile, entry: Profile) -> Comparison:
    """How alike a subject and an entry of a list are, and by what."""
    features = [_names(subject, entry), _identifiers(subject, entry)]
    score = max(one.score * one.weight for one in features)
    if score > 0:
        against = [_countries(subject, entry), *_births(subject, entry), _genders(subject, entry)]
        features += [one for one in against if one is not None]
        score += sum(one.score * one.weight for one in features if one.weight < 0)
    shown = tuple(one for one in features if one.score > 0 or one.weight < 0)
    return Comparison(score=round(min(1.0, max(0.0, score)), 4), features=shown)


def alike(subject: tuple[str, ...], entry: tuple[str, ...], *, numbers_count: bool = False) -> float:
    """How alike two names are, 0 to 1, by their words in any order.

    Words of the subject without a partner weigh more than those of the entry: a list often knows more names of a person
    than the person says. `numbers_count`: Fund 7 is not Fund 9.
    """
    if not subject or not entry:
        return 0.0
    if joined(subject) == joined(entry):
        return 1.0
    subject, entry = _merged(subject, entry), _merged(entry, subject)
    matrix = process.cdist(subject, entry, scorer=DamerauLevenshtein.distance, dtype=np.int32)
    pairs = sorted(
        (
            (-likeness, left, right)
            for left, one in enumerate(subject)
            for right, other in enumerate(entry)
            if (likeness := _words_alike(one, other, int(matrix[left, right]))) > 0
        ),
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    total = 0.0
    for likeness, left, right in pairs:
        if left not in taken_left and right not in taken_right:
            taken_left.add(left)
            taken_right.add(right)
            total -= likeness
    left_over, more = len(subject) - len(taken_left), len(entry) - len(taken_right)
    found = total / (len(taken_left) + _EXTRA_OF_SUBJECT * left_over + _EXTRA_OF_ENTRY * more)
    if found < _JOINED_ALIKE and _joined_alike(subject, entry):
        found = _JOINED_ALIKE
    if numbers_count and _numbers(subject) != _numbers(entry):
        found -= _OTHER_NUMBERS
    return max(0.0, found)


def _merged(name: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """A name with neighbours joined that are one word in the other name: Abu Bakr is Abubakr there."""
    found: list[str] = []
    for word in name:
        if found and found[-1] + word in other and found[-1] not in other:
            found[-1] += word
        else:
            found.append(word)
    return tuple(found)


def _words_alike(one: str, other: str, edits: int) -> float:
    if edits == 0:
        return 1.0
    shorter, longer = sorted((len(one), len(other)))
    if shorter == 1:
        return 0.6 if one[0] == other[0] else 0.0  # an initial
    # One slip in four letters; the first letter is seldom one.
    if edits <= longer // 4 or (edits == 1 and shorter >= 4):
        return 1 - edits / longer
    heard = sound(one)
    return _SOUNDS_ALIKE if len(heard) >= 3 and heard == sound(other) else 0.0


def _joined_alike(subject: tuple[str, ...], entry: tuple[str, ...]) -> bool:
    one, other = joined(subject), joined(entry)
    if min(len(one), len(other)) < 8:
        return False
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1


def _numbers(name: Iterable[str]) -> set[str]:
    return {word for word in name if word.isdigit()}


def _names(subject: Profile, entry: Profile) -> Feature:
    organisation = EntityType.ORGANISATION in (subject.type, entry.type) or entry.type is EntityType.OTHER
    best = Feature(name="name", score=0.0, weight=1.0, subject="", entry="")
    for one in subject.names:
        mine = words(one, organisation=organisation)
        for other in entry.names:
            theirs = words(other, organisation=organisation)
            weight = WEAK_NAME_WEIGHT if min(len(mine), len(theirs)) < 2 and not organisation else 1.0
            found = alike(mine, theirs, numbers_count=organisation)
            if found * weight > best.score * best.weight:
                best = Feature(name="name", score=round(found, 4), weight=weight, subject=one, entry=other)
    return best


def _identifiers(subject: Profile, entry: Profile) -> Feature:
    mine = {number(one): one for one in subject.identifiers}
    for other in entry.identifiers:
        plain = number(other)
        if len(plain) >= _IDENTIFIER_LENGTH_MIN and plain in mine:
            return Feature(name="identifier", score=1.0, weight=IDENTIFIER_WEIGHT, subject=mine[plain], entry=other)
    return Feature(name="identifier", score=0.0, weight=IDENTIFIER_WEIGHT, subject="", entry="")


def _countries(subject: Profile, entry: Profile) -> Feature | None:
    return _disjoint("country", COUNTRY_WEIGHT, subject.countries, entry.countries, str.upper)


def _genders(subject: Profile, entry: Profile) -> Feature | None:
    return _disjoint("gender", GENDER_WEIGHT, subject.genders, entry.genders, lambda text: text[:1].lower())


def _births(subject: Profile, entry: Profile) -> Iterable[Feature]:
    year = _disjoint("birth year", BIRTH_YEAR_WEIGHT, subject.birth_dates, entry.birth_dates, lambda text: text[:4])
    if year is not None:
        yield year
    mine = tuple(date for date in subject.birth_dates if len(date) == 10)
    theirs = tuple(date for date in entry.birth_dates if len(date) == 10)
    day = _disjoint("birth date", BIRTH_DAY_WEIGHT, mine, theirs, lambda text: text)
    if day is not None:
        # Day and month in the other order are half a contradiction.
        flipped = {f"{date[:4]}-{date[8:10]}-{date[5:7]}" for date in mine} & set(theirs)
        yield (
            day
            if day.score == 0 or not flipped
            else Feature(name="birth date", score=0.5, weight=BIRTH_DAY_WEIGHT, subject=day.subject, entry=day.entry)
        )


def _disjoint(
    name: str, weight: float, mine: tuple[str, ...], theirs: tuple[str, ...], plain: Callable[[str], str]
) -> Feature | None:
    """What is known on both sides: a contradiction (score 1) when nothing is the same; None when one side is silent."""
    left, right = {plain(one) for one in mine if one}, {plain(one) for one in theirs if one}
    if not left or not right:
        return None
    return Feature(
        name=name, score=0.0 if left & right else 1.0, weight=weight, subject=", ".join(mine), entry=", ".join(theirs)
    )
