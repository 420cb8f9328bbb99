"""What must always be true of screening; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.screening.store.lists import ListStore
from finer.screening.store.subjects import SubjectStore


def lists_count_their_entries(tx: Tx) -> list[str]:
    """A list says how many entries are on it."""
    return [
        f"The list {name} says that it has {kept} entries, and has {real}."
        for name, kept, real in ListStore(tx).counted()
        if kept != real
    ]


def judged_hits_have_a_judgement(tx: Tx) -> list[str]:
    """Nobody is cleared or confirmed without somebody who said so."""
    return [
        f"The hit {show_id('hit', one)} is judged, and nobody's judgement is there."
        for one in SubjectStore(tx).unjudged()
    ]
