"""Answers of the lake for those who are in a transaction: none of them waits for the lake while it is open."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pyarrow as pa

from finer.warehouse.errors import LakeEmpty, LakeUnavailable
from finer.warehouse.store.reading import LakeReader
from finer.warehouse.types import LakeTable

Result = TypeVar("Result")
_QUESTIONS_MAX = 40


class _Unanswered(Exception):
    """A question that has no answer yet; `ask` asks the lake."""

    def __init__(self, key: str, ask: Callable[[], Any]) -> None:
        super().__init__(key)
        self.key, self.ask = key, ask


class _Answers(LakeReader):
    """A reader that knows what was asked before, and ends whoever asks anything else."""

    def __init__(self, reader: LakeReader) -> None:
        self.access = reader.access
        self._reader = reader
        self._known: dict[str, Any] = {}

    def read(
        self, tenant: uuid.UUID, statement: str, arguments: dict[str, Any] | None = None, *, contract: str = ""
    ) -> pa.Table:
        """As the reader answered. Raises LakeEmpty as it did."""
        found = self._answer(
            f"{tenant} {statement} {arguments}",
            lambda: self._reader.read(tenant, statement, arguments, contract=contract),
        )
        if isinstance(found, LakeEmpty):
            raise found
        return found

    def tables(self, tenant: uuid.UUID) -> list[LakeTable]:
        """As the reader answered."""
        tables: list[LakeTable] = self._answer(str(tenant), lambda: self._reader.tables(tenant))
        return tables

    def learn(self, question: _Unanswered) -> None:
        """Ask the lake. Raises LakeUnavailable."""
        try:
            self._known[question.key] = question.ask()
        except LakeEmpty as empty:
            self._known[question.key] = empty

    def _answer(self, key: str, ask: Callable[[], Any]) -> Any:
        if key not in self._known:
            raise _Unanswered(key, ask)
        return self._known[key]


def answered(reader: LakeReader, act: Callable[[LakeReader], Result]) -> Result:
    """Do what reads the lake within a transaction, without one that waits for it: a lake may take minutes.

    `act` opens its transaction itself. When it asks what has no answer yet, it ends and its transaction is rolled back;
    the lake is asked, and `act` begins anew with what is known by then. So it asks the same each time it gets that far:
    what it asks with depends on no clock that goes on meanwhile. Only `read` and `tables` can be asked. Raises
    LakeUnavailable, and what `act` raises.
    """
    answers = _Answers(reader)
    for _ in range(_QUESTIONS_MAX):
        try:
            return act(answers)
        except _Unanswered as question:
            answers.learn(question)
    raise LakeUnavailable("What is asked of the lake is another question each time. It is tried again later.")
