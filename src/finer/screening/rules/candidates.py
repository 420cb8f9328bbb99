"""Which entries of lists could be like a subject at all: those that share words by their sound, or an identifier."""

from __future__ import annotations

import uuid
from array import array
from collections import Counter
from collections.abc import Iterable

from rapidfuzz import fuzz

from finer.screening.rules.matching import compare
from finer.screening.rules.names import joined, keys, number, sound, words
from finer.screening.types import THRESHOLD, EntityType, Found, ListedEntry, Profile

FOUND_MAX = 50
"""Hits of one subject; a name that so many are like says nothing, and the best of them are enough to see that."""
_ROUGHLY, _CLOSELY = 45.0, 80.0
"""How alike all letters must be (0 to 100) for a close look: where two words sound alike, and where only one does."""
_PEOPLE = frozenset({EntityType.PERSON, EntityType.UNKNOWN})


class Candidates:
    """The entries of a firm's lists, found by the sound of their words. Made once for a version of the lists."""

    def __init__(self, listed: Iterable[ListedEntry]) -> None:
        self._listed = list(listed)
        self._pairs = {(one.list_id, one.entry.id) for one in self._listed}
        self._texts: list[list[str]] = []
        self._by_word: dict[str, array[int]] = {}
        self._by_whole: dict[str, array[int]] = {}
        self._by_number: dict[str, array[int]] = {}
        for place, one in enumerate(self._listed):
            profile = one.entry.profile
            organisation = profile.type not in _PEOPLE
            names = [words(name, organisation=organisation) for name in profile.names]
            self._texts.append([" ".join(name) for name in names])
            for key in {key for name in names for word in name for key in keys(word)}:
                self._by_word.setdefault(key, array("I")).append(place)
            for whole in {sound(joined(name)) for name in names}:
                self._by_whole.setdefault(whole, array("I")).append(place)
            for identifier in {number(each) for each in profile.identifiers}:
                self._by_number.setdefault(identifier, array("I")).append(place)

    def __len__(self) -> int:
        return len(self._listed)

    def holds(self, list_id: uuid.UUID, entry_id: str) -> bool:
        """Whether an entry is among them."""
        return (list_id, entry_id) in self._pairs

    def find(self, subject: Profile, threshold: float = THRESHOLD) -> list[Found]:
        """The entries that a subject is like, the likest first; at most FOUND_MAX."""
        found = []
        for place in self._near(subject):
            listed = self._listed[place]
            if not _same_sort(subject.type, listed.entry.profile.type):
                continue
            comparison = compare(subject, listed.entry.profile)
            if comparison.score >= threshold:
                found.append(Found(listed=listed, comparison=comparison))
        found.sort(key=lambda one: (-one.comparison.score, one.listed.entry.id))
        return found[:FOUND_MAX]

    def _near(self, subject: Profile) -> set[int]:
        near = {place for each in subject.identifiers for place in self._by_number.get(number(each), ())}
        for name in subject.names:
            name_words = words(name, organisation=subject.type is EntityType.ORGANISATION)
            shared: Counter[int] = Counter()
            for word in set(name_words):
                shared.update({place for key in keys(word) for place in self._by_word.get(key, ())})
            needed = min(2, len(set(name_words)))
            text = " ".join(name_words)
            near |= {place for place, count in shared.items() if self._roughly(text, place, enough=count >= needed)}
            near.update(self._by_whole.get(sound(joined(name_words)), ()))
        return near

    def _roughly(self, text: str, place: int, *, enough: bool) -> bool:
        """Whether a name is worth a close look, by all its letters at once."""
        if enough:
            return any(fuzz.token_set_ratio(text, name, score_cutoff=_ROUGHLY) for name in self._texts[place])
        return any(
            fuzz.ratio(text, name, score_cutoff=_CLOSELY) or fuzz.token_sort_ratio(text, name, score_cutoff=_CLOSELY)
            for name in self._texts[place]
        )


def _same_sort(one: EntityType, other: EntityType) -> bool:
    return EntityType.UNKNOWN in (one, other) or one is other
