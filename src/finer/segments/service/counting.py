"""How many are in a segment and who they are: asked of the lake between transactions, never in one.

A question is made in a transaction, with the rights of whoever asks; the lake answers it; the answer is kept or shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from finer.identity.service.audit import note_read, record_audit
from finer.identity.service.authorisation import masking_of, reach_of
from finer.identity.types.access import Permission
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.kit.conditions.condition import Condition
from finer.kit.conditions.errors import ConditionError
from finer.kit.crypto.fields import blind
from finer.kit.errors import NotFound
from finer.kit.ids import show_id
from finer.kit.masking import Masking
from finer.kit.tx import Tx
from finer.segments import rules
from finer.segments.errors import SegmentBroken, SegmentNotUsable, SegmentWithheld
from finer.segments.rules import CUSTOMER
from finer.segments.service.segments import catalogue_of, compiled, contract_of, get_segment, withheld
from finer.segments.store import customers
from finer.segments.store.segments import SegmentStore
from finer.segments.types import CONTRACT, PREFIX, Segment, SegmentColumn, SegmentMembers, Size
from finer.warehouse.service import shown
from finer.warehouse.service.lake import LakeReader, expressions
from finer.warehouse.types import LakeTable

_NOT_SHOWN = frozenset({CUSTOMER, "event_id", "occurred_at"})
"""What comes first by itself, and what is of the record and not of the customer."""
_FORMS = {shown.TOKEN: "token", None: "clear"}


class Question(msgspec.Struct, frozen=True):
    """Conditions to be counted as of a moment; one that cannot be asked is None, with its problem."""

    tenant: uuid.UUID
    known: FirmContracts
    conditions: tuple[Condition | None, ...]
    problems: tuple[str, ...]
    versions: tuple[int, ...]
    now: datetime


class WhoQuestion(msgspec.Struct, frozen=True):
    """A page of people to be read, masked for whoever asks."""

    tenant: uuid.UUID
    known: FirmContracts
    condition: Condition
    masking: Masking
    secret: bytes
    now: datetime


def ask_of_text(tx: Tx, text: str) -> Question:
    """The question of a condition that is not kept yet. Raises ConditionError, SegmentNotUsable, PermissionMissing."""
    reach_of(tx.actor, Permission.SEGMENTS_WRITE)
    return Question(tx.tenant, contracts.load(tx), (compiled(contract_of(tx), text),), ("",), (0,), tx.now())


def ask_of_all(tx: Tx, only: uuid.UUID | None = None) -> tuple[list[uuid.UUID], Question]:
    """The question of every segment that is not archived, or of one of them. For the job."""
    found = SegmentStore(tx).find(only, archived=False)
    contract = contract_of(tx)
    asked = [_asked(one, contract) for one in found]
    return [one.id for one in found], Question(
        tx.tenant, contracts.load(tx), tuple(condition for condition, _ in asked),
        tuple(problem for _, problem in asked), tuple(one.version for one in found), tx.now(),
    )  # fmt: skip


def measure(lake: LakeReader, question: Question) -> list[Size]:
    """How many each condition holds for, by one look at the lake. Raises LakeUnavailable."""
    contract = question.known.named(CONTRACT)
    asked = [one for one in question.conditions if one is not None]
    statement, arguments = customers.sizes(
        asked, catalogue_of(contract).columns, _held(lake, question.tenant), rules.computed(contract.fields),
        question.now.date(),
    )  # fmt: skip
    try:
        row: dict[str, Any] = lake.read(question.tenant, statement, arguments).to_pylist()[0]
    except NotFound:  # nothing has reached the lake yet
        row = {}
    numbers = iter(int(row.get(f"c{i}", 0)) for i in range(len(asked)))
    return [
        Size(
            people=None if condition is None else next(numbers), customers=int(row.get("customers", 0)),
            version=version, counted_at=question.now, problem=problem,
        )
        for condition, problem, version in zip(
            question.conditions, question.problems, question.versions, strict=True
        )
    ]  # fmt: skip


def note(tx: Tx, sizes: Mapping[uuid.UUID, Size]) -> int:
    """Keep the sizes of today, but of segments that were changed while they were counted. For the job."""
    versions = {one.id: one.version for one in SegmentStore(tx).find(archived=False)}
    current = {identifier: size for identifier, size in sizes.items() if versions.get(identifier) == size.version}
    SegmentStore(tx).note(current)
    return len(current)


def columns_of(question: Question) -> frozenset[str]:
    """What the conditions of a question name."""
    return frozenset().union(*(one.columns for one in question.conditions if one is not None))


def note_preview(tx: Tx, question: Question) -> None:
    """Write down that somebody counted people without keeping the segment: by which columns, not with what."""
    record_audit(tx, "segments:preview", CONTRACT, {"columns": sorted(columns_of(question))})


def ask_who(tx: Tx, identifier: uuid.UUID) -> WhoQuestion:
    """The question who is in a segment. Raises SegmentNotFound, SegmentBroken, SegmentWithheld, PermissionMissing."""
    reach_of(tx.actor, Permission.SEGMENTS_MEMBERS)
    segment = get_segment(tx, identifier)
    if told := sorted(withheld(tx) & set(segment.reads)):
        raise SegmentWithheld(
            f"It goes by {', '.join(told)}, of which you see no whole value: who is in it would tell you. "
            "How many they are is shown in tens."
        )
    condition, problem = _asked(segment, contract_of(tx))
    if condition is None:
        raise SegmentBroken(f"{problem} Change its condition first.")
    secret = blind(tx, "segments.tokens", "members")
    return WhoQuestion(tx.tenant, contracts.load(tx), condition, masking_of(tx.actor), secret, tx.now())


def read_members(lake: LakeReader, question: WhoQuestion, after: str | None, limit: int) -> SegmentMembers:
    """A page of the people, each column as the caller may see it. Raises LakeUnavailable."""
    contract = question.known.named(CONTRACT)
    table = _table(lake, question.tenant)
    if table is None:
        return SegmentMembers(columns=[], items=[], next=None)
    seen = _seen(table, contract, question.masking)
    as_shown = expressions([table], shown.shown_to(question.masking, question.known)([table]), question.secret)
    masked = as_shown.get(table.name, {})
    statement, arguments = customers.members(
        question.condition, catalogue_of(contract).columns, {one.name for one in table.columns},
        rules.computed(contract.fields), question.now.date(), {name: masked.get(name, f'"{name}"') for name in seen},
        question.secret.hex(), after, limit,
    )  # fmt: skip
    rows = lake.read(question.tenant, statement, arguments).to_pylist()
    return SegmentMembers(
        columns=[SegmentColumn(name, _FORMS.get(form, "part")) for name, form in seen.items()],
        items=[[row[name] for name in seen] for row in rows],
        next=rows[-1][customers.PLACE] if len(rows) == limit else None,
    )


def _seen(table: LakeTable, contract: Contract, masking: Masking) -> dict[str, str | None]:
    """The columns of which the caller sees anything, the customer first, each with its form."""
    there = {column.name: column for column in table.columns}
    order = [CUSTOMER, *(one.column for one in contract.fields if one.column not in _NOT_SHOWN)]
    forms = {name: shown.form_of(contract, table, there[name], masking) for name in order if name in there}
    return {name: form for name, form in forms.items() if form != shown.GONE}


def note_members(tx: Tx, identifier: uuid.UUID, found: SegmentMembers) -> None:
    """Write down who looked at the people of a segment."""
    note_read(tx, "segments:members", show_id(PREFIX, identifier), {"rows": len(found.items)})


def _asked(segment: Segment, contract: Contract) -> tuple[Condition | None, str]:
    """A segment's condition over the contract in force; None and why when it fits it no more."""
    missing = rules.gone(segment.reads, catalogue_of(contract))
    if missing:
        return None, missing
    try:
        return compiled(contract, segment.draft.condition), ""
    except (ConditionError, SegmentNotUsable):
        # This is kept with the size, unsealed; what is wrong would quote from the condition, which is sealed.
        return None, f"The condition does not fit the contract {CONTRACT} any more."


def _held(lake: LakeReader, tenant: uuid.UUID) -> Sequence[str]:
    """The columns of the lake's table of customers; none before the first one came."""
    table = _table(lake, tenant)
    return () if table is None else [column.name for column in table.columns]


def _table(lake: LakeReader, tenant: uuid.UUID) -> LakeTable | None:
    return next((one for one in lake.tables(tenant) if one.name == customers.TABLE), None)
