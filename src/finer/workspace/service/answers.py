"""Answers that several people look at: the newest result of a saved query, for everybody in one role.

What a result shows follows from the question and the role whose masks it has, and never from the person who asked. So
people in one role who may see a saved query may see what another of them was told: a question is asked once for all of
them, by a schedule or by a person, and not once for each viewer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from finer.kit.tx import Tx
from finer.workspace.service.runs import ROWS_MAX, question_of
from finer.workspace.service.saved import get_saved
from finer.workspace.store.runs import RunStore
from finer.workspace.types import NewRun, Run, SavedQuery, Value

ROWS = 10_000
"""Rows that a question for many is asked for, as the editor does; a schedule asks for all."""
_JUST_NOW = timedelta(seconds=20)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a question: the newest run whose result is kept, and the newest of all, failed ones too."""

    saved: SavedQuery
    good: Run | None
    last: Run | None

    @property
    def under_way(self) -> bool:
        """Whether somebody has asked and the answer is on its way."""
        return self.last is not None and not self.last.over


def newest(tx: Tx, saved_id: uuid.UUID, parameters: Mapping[str, Value], role: str) -> Answer:
    """The newest answer to a saved query, in its newest version and with these values, as that role sees it.

    Raises SavedQueryNotFound when the caller may not see the query, and CannotBeUsed when the values do not fit.
    """
    saved, store = get_saved(tx, saved_id), RunStore(tx)
    questions = [
        question_of(saved.statement, saved.parameters, asking(saved_id, parameters, rows)) for rows in (ROWS, ROWS_MAX)
    ]
    last = store.latest(role, questions, good=False)
    good = store.latest(role, questions, good=True) if last is not None else None
    return Answer(saved=saved, good=good, last=last)


def asking(saved_id: uuid.UUID, parameters: Mapping[str, Value], rows: int = ROWS) -> NewRun:
    """The question, to be asked anew."""
    return NewRun(saved_id=saved_id, parameters=dict(parameters), rows_max=rows, fresh=True)


def asked_just_now(tx: Tx, answer: Answer) -> bool:
    """Whether asking again would only repeat what somebody did a moment ago."""
    last = answer.last
    return last is not None and (not last.over or tx.now() - (last.finished_at or last.asked_at) < _JUST_NOW)
