"""Words that people of a bank put together to a password at work, and what a password made of nothing else looks like.

The list is the documented one of ASVS 5.0 V6.1.2; docs/how-to/sign-in-and-second-factors.md tells people of it.
"""

from __future__ import annotations

from collections.abc import Iterable

_LIST = """
    account accounts admin administrator alert alerts analyst analytics api audit auditor bank banking bankers branch
    business campaign card cards cash change changeme company compliance credit customer customers daily dashboard data
    database default demo desk ecommerce engineer executive finance financial finer firm fraud guest hello help helpdesk
    intelligence internal key ledger letmein loan login manager market marketing master money monitor my new office
    officer online operations operator pass passphrase password passwords payment payments pipeline platform portal prod
    production real retail risk root sale sales secret secure security server service sesame shop signin sign in staff
    support system team temp temporary test testing time the to transaction transactions treasury trust user users
    wallet welcome work your
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday spring summer autumn fall winter
    manila philippines singapore thailand bangkok jakarta indonesia malaysia vietnam
"""
WORDS = frozenset(_LIST.split())
_AS_LETTERS = str.maketrans("01345789@$!|+", "oleastbgasilt")
_SHORTEST = 2


def is_made_of(password: str, about: Iterable[str]) -> bool:
    """Whether a password is words of the list and of `about`, one after another, with digits and signs in any place.

    Digits and signs that stand for letters (`p4ssw0rd`) are read as those too.
    """
    words = WORDS | {_letters(part) for text in about for part in _parts(text)}
    known = {word for word in words if len(word) >= _SHORTEST}
    folded = password.casefold()
    # What stands before and after is seldom a letter in disguise: Fr4ud!2026.
    ends = "".join({letter for letter in folded if not letter.isalpha()})
    texts = (folded, folded.translate(_AS_LETTERS), folded.strip(ends).translate(_AS_LETTERS))
    return any(_is_chain(_letters(text), known) for text in texts)


def _parts(text: str) -> Iterable[str]:
    folded = text.casefold()
    return (folded, *"".join(letter if letter.isalpha() else " " for letter in folded).split())


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _is_chain(letters: str, words: set[str]) -> bool:
    """Whether the letters can be cut into words, each of the list."""
    longest = max(map(len, words))
    reached = [True] + [False] * len(letters)
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - longest), end)
        reached[end] = any(reached[start] and letters[start:end] in words for start in starts)
    return len(letters) > 0 and reached[-1]
