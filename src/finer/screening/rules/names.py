"""Names made alike: letters of any script in Latin ones, words without marks, and keys by which alike words meet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from anyascii import anyascii

WORDS_MAX = 24
_WORD = re.compile(r"[a-z0-9]+")
# What is said before and after a name and is no part of it.
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "prof", "sir", "dame", "hon", "jr", "sr", "ii", "iii", "esq", "haji"})
_LEGAL_FORMS = frozenset({
    "ab", "ag", "ao", "as", "bv", "bvba", "co", "company", "corp", "corporation", "doo", "eood", "fze", "fzco", "gmbh",
    "holding", "holdings", "inc", "incorporated", "jsc", "kft", "kg", "limited", "llc", "llp", "ltd", "nv", "oao",
    "ojsc", "ooo", "oy", "pao", "plc", "pjsc", "pte", "pty", "pvt", "sa", "sal", "sarl", "sdn", "bhd", "se", "sia",
    "spa", "srl", "sro", "the", "uab", "zao",
})  # fmt: skip
# Letters that the same sound is written with in other languages or transliterations.
_SOUNDS = str.maketrans({
    "b": "p", "c": "k", "d": "t", "g": "k", "q": "k", "v": "f", "w": "f", "z": "s", "x": "s", "j": "y", "i": "y",
})  # fmt: skip
_QUIET = re.compile(r"[aeouhy]")
_VOWELS = frozenset("aeou")
_DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=200_000)
def words(name: str, *, organisation: bool = False) -> tuple[str, ...]:
    """The words of a name in small Latin letters, without titles and legal forms; at most WORDS_MAX."""
    latin = anyascii(name).lower().replace("'", "").replace("`", "")
    found = _WORD.findall(latin)[:WORDS_MAX]
    left_out = _LEGAL_FORMS if organisation else _TITLES
    kept = tuple(word for word in found if word not in left_out)
    return kept or tuple(found)


@lru_cache(maxsize=200_000)
def sound(word: str) -> str:
    """How a word sounds, roughly: its consonants. Mohamed and Muhammad are alike, and so are Gaddafi and Qadhafi."""
    if word.isdigit():
        return word
    plain = word.replace("ph", "f").replace("ck", "k").translate(_SOUNDS)
    first = "a" if plain[:1] in _VOWELS else plain[:1]
    return first + _DOUBLED.sub(r"\1", _QUIET.sub("", plain[1:]))


def keys(word: str) -> Iterator[str]:
    """Keys under which a word is found by words that sound like it, or lack one letter of their sound."""
    heard = sound(word)
    yield heard
    if len(heard) >= 3:
        for place in range(1, len(heard)):
            yield heard[:place] + heard[place + 1 :]


def joined(name_words: Iterable[str]) -> str:
    """A name as one word: Abu Bakr and Abubakr are the same."""
    return "".join(name_words)


def number(text: str) -> str:
    """A number of a document without blanks, marks and small letters."""
    return "".join(_WORD.findall(anyascii(text).lower())).upper()
