"""Trying a draft on what came in: stored records go through the compiled checks once more, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.ingest.rules.arrow_blocks import batch_block
from finer.ingest.rules.check import Decoded, check_block
from finer.ingest.rules.plan import Plan, plan_of
from finer.ingest.rules.record import Number, Token
from finer.ingest.types.contracts import Contract, DraftTrial, Kind, TrialCause
from finer.ingest.types.records import RefusedRecord
from finer.kit.money import MAX_EXPONENT, exponent

_KEYS_SHOWN = 5
_CAUSES_MAX = 100


class Tally:
    """What a trial has found so far."""

    def __init__(self, trial: DraftTrial) -> None:
        self._trial = trial
        self._causes: dict[tuple[str, str], TrialCause] = {}
        self.checked = self.refused = self.quarantined = self.released = self.unreadable = 0

    def refuse(self, field: str, rule: str, reason: str, key: str) -> None:
        """One more record that would be held back, by its first broken rule."""
        self.refused += 1
        known = self._causes.get((field, rule))
        if known is None:
            if len(self._causes) < _CAUSES_MAX:
                self._causes[field, rule] = TrialCause(field, rule, 1, reason, [key])
            return
        keys = [*known.keys, key] if len(known.keys) < _KEYS_SHOWN else known.keys
        self._causes[field, rule] = TrialCause(field, rule, known.records + 1, known.reason, keys)

    def trial(self) -> DraftTrial:
        """The findings, the most frequent cause first."""
        return DraftTrial(
            state="running",
            revision=self._trial.revision,
            since=self._trial.since,
            started_at=self._trial.started_at,
            expected=self._trial.expected,
            checked=self.checked,
            refused=self.refused,
            causes=sorted(self._causes.values(), key=lambda one: -one.records),
            quarantined=self.quarantined,
            released=self.released,
            unreadable=self.unreadable,
        )


def try_accepted(
    draft: Contract, current: Contract | None, batches: Iterable[pa.RecordBatch], now_us: int, tally: Tally
) -> Iterator[None]:
    """Hold stored records, columns as `current` made them, to the draft; stops after each batch to be asked."""
    plan = plan_of(draft)
    for batch in batches:
        sent = _as_sent(batch, draft, current)
        block = batch_block(plan, sent, sent, 0)
        # Nobody keeps the records that a trial refuses, and many may be refused: they are read column by column.
        block.raw, block.decode = _no_text, _Tokens(plan, sent).decode
        checked = check_block(plan, block, now_us)
        ids = batch.column("event_id")
        for _, record in checked.refused:
            _count(tally, record, str(ids[record.line]))
        tally.checked += batch.num_rows
        yield


def _no_text(_: int) -> bytes:
    return b""


class _Tokens:
    """The records of a batch for the slow path, all columns turned into tokens when the first one is asked for."""

    def __init__(self, plan: Plan, sent: pa.RecordBatch) -> None:
        self._plan = plan
        self._sent = sent

    def decode(self, row: int) -> Decoded:
        """One record."""
        return Decoded({slot: tokens[row] for slot, tokens in self._columns.items()})

    @cached_property
    def _columns(self) -> dict[int, list[Token]]:
        slot_of = self._plan.slot_of
        return {
            slot_of[name]: _tokens(column)
            for name, column in zip(self._sent.schema.names, self._sent.columns, strict=True)
        }


def _tokens(column: pa.Array) -> list[Token]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        texts: list[Token] = pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ").to_pylist()
        return texts
    values = column.to_pylist()
    if pa.types.is_decimal(kind):
        return [None if value is None else Number(_plain(value)) for value in values]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return [None if value is None else Number(repr(value)) for value in values]
    if pa.types.is_date(kind):
        return [None if value is None else value.isoformat() for value in values]
    plain: list[Token] = values
    return plain


def _plain(value: Decimal) -> str:
    """A number without the zeros at the end of the decimals that an amount may have: dong and rupiah have none."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _count(tally: Tally, record: RefusedRecord, key: str) -> None:
    first = record.errors[0]
    tally.refuse(first.field, first.rule, first.reason, key)


def _as_sent(batch: pa.RecordBatch, draft: Contract, current: Contract | None) -> pa.RecordBatch:
    """The records as somebody could send them: fields by their names, amounts in major units."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    money = {
        field.column: field for one in (draft, current) if one is not None for field in one.fields
        if field.kind is Kind.MONEY
    }  # fmt: skip
    slot_of, taken = plan_of(draft).slot_of, set[int]()
    found: dict[str, pa.Array] = {}
    for name, values in columns.items():
        field = money.get(name)
        sent = name if field is None else field.name
        slot = slot_of.get(sent)
        if slot is None or slot in taken:
            continue
        if field is not None:
            values = _major(values, columns.get(field.currency or ""))  # noqa: PLW2901 - the same column, as it was sent
        taken.add(slot)
        found[sent] = values
    return pa.RecordBatch.from_arrays(list(found.values()), names=list(found))


def _major(minor: pa.Array, currency: pa.Array | None) -> pa.Array:
    """Amounts in minor units as exact decimals of major units."""
    places = np.full(len(minor), 2, np.int64)
    if currency is not None:
        codes = currency.cast(pa.string()).dictionary_encode()
        known = np.array([exponent(code) if code else 2 for code in codes.dictionary.to_pylist()] or [2], np.int64)
        places = known[np.asarray(codes.indices.fill_null(0)).astype(np.int64)]
    values = np.asarray(minor.fill_null(0)).astype(np.int64) * 10 ** (MAX_EXPONENT - places)
    words = np.stack([values, values >> 63], axis=1)
    valid = None if not minor.null_count else pa.py_buffer(np.packbits(np.asarray(minor.is_valid()), bitorder="little"))
    return pa.Array.from_buffers(
        pa.decimal128(38, MAX_EXPONENT),
        len(minor),
        [valid, pa.py_buffer(np.ascontiguousarray(words))],
        minor.null_count,
    )
