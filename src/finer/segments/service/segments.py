"""Segments as people keep them: written, changed, archived, read in plain language."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import allowed, masking_of, reach_of
from finer.identity.types.access import Permission, Role
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract
from finer.kit import runs
from finer.kit.conditions.condition import Condition, plain_language
from finer.kit.conditions.cost import COST_MAX, cost
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.parse import CALLABLE
from finer.kit.conditions.tree import Catalogue
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass
from finer.kit.tx import Tx
from finer.segments import rules
from finer.segments.errors import SegmentChanged, SegmentNotFound, SegmentNotUsable
from finer.segments.store.segments import SegmentStore
from finer.segments.types import (
    CONTRACT,
    PREFIX,
    Daily,
    Draft,
    Segment,
    SegmentAssessment,
    SegmentSize,
    SegmentWord,
    Size,
)

COUNT_JOB = "count_segments"
SEGMENTS_MAX = 200
_KEPT = timedelta(days=730)


def contract_of(tx: Tx) -> Contract:
    """The firm's contract of customers that is in force."""
    return contracts.load(tx).named(CONTRACT)


def catalogue_of(contract: Contract) -> Catalogue:
    """What conditions over customers can name."""
    return rules.catalogue(contract.fields, contracts.column_types(contract))


def list_segments(tx: Tx, *, archived: bool = False) -> list[Segment]:
    """The firm's segments by name, with their latest sizes. Raises PermissionMissing."""
    reach_of(tx.actor, Permission.SEGMENTS_READ)
    return SegmentStore(tx).find(archived=archived)


def get_segment(tx: Tx, identifier: uuid.UUID) -> Segment:
    """One segment, archived or not. Raises SegmentNotFound, PermissionMissing."""
    reach_of(tx.actor, Permission.SEGMENTS_READ)
    found = SegmentStore(tx).find(identifier)
    if not found:
        raise SegmentNotFound(f"There is no segment {show_id(PREFIX, identifier)}.")
    return found[0]


def history(tx: Tx, identifier: uuid.UUID) -> list[Daily]:
    """The size of each day of the last two years, the earliest first."""
    return SegmentStore(tx).history(identifier)


def create_segment(tx: Tx, draft: Draft) -> Segment:
    """Keep a segment, and let it be counted. Raises ConditionError, SegmentNotUsable, PermissionMissing."""
    reach_of(tx.actor, Permission.SEGMENTS_WRITE)
    store, tidied = SegmentStore(tx), rules.tidy(draft)
    reads = _reads(tx, tidied)
    _check_room(store)
    identifier = new_id()
    store.add(identifier, tidied, reads, uuid.UUID(tx.actor.id))
    _count(tx, identifier, reads, "segments:save")
    return get_segment(tx, identifier)


def change_segment(tx: Tx, identifier: uuid.UUID, version: int, draft: Draft, *, archived: bool) -> Segment:
    """Another text for a segment, or put it away, or take it out again.

    One that is put away as it is may read what has gone. Raises SegmentNotFound, SegmentChanged, and what
    `create_segment` raises.
    """
    reach_of(tx.actor, Permission.SEGMENTS_WRITE)
    before, store, tidied = get_segment(tx, identifier), SegmentStore(tx), rules.tidy(draft)
    as_it_is = archived and tidied.condition == before.draft.condition
    reads = before.reads if as_it_is else _reads(tx, tidied)
    if before.archived_at is not None and not archived:
        _check_room(store)
    put_away = (before.archived_at or tx.now()) if archived else None
    if not store.change(identifier, version, tidied, reads, put_away):
        raise SegmentChanged("Somebody changed the segment since you opened it. Load it again first.")
    if archived:
        record_audit(tx, "segments:archive", show_id(PREFIX, identifier))
    else:
        _count(tx, identifier, reads, "segments:save")
    return get_segment(tx, identifier)


def words(tx: Tx) -> tuple[list[SegmentWord], list[str]]:
    """Columns that a condition can name, by name, and functions."""
    contract = contract_of(tx)
    fields = {one.column: one for one in contract.fields}
    columns = catalogue_of(contract).columns
    return [SegmentWord(name, kind.value, rules.told(name, fields)) for name, kind in sorted(columns.items())], sorted(
        CALLABLE
    )


def assess(tx: Tx, text: str) -> SegmentAssessment:
    """How a condition reads and what it costs, or what is wrong with it and where."""
    known = catalogue_of(contract_of(tx))
    try:
        condition = rules.compiled(text, known)
    except ConditionError as error:
        return SegmentAssessment(
            usable=False, problem=error.message, hint=error.hint, position=error.position, line=error.line,
            column=error.column,
        )  # fmt: skip
    except SegmentNotUsable as error:
        return SegmentAssessment(usable=False, problem=error.detail)
    spent = cost(condition.tree)
    return SegmentAssessment(usable=True, reading=plain_language(condition, known), steps=spent, steps_max=COST_MAX)


def problem_of(segment: Segment, known: Catalogue) -> str:
    """Why a segment cannot be counted any more; empty when it can, as far as is known."""
    size = segment.size
    last = size.problem if size is not None and size.version == segment.version else ""
    return rules.gone(segment.reads, known) or last


def withheld(tx: Tx) -> frozenset[str]:
    """The sensitive columns of which the caller sees no whole value, such as incomes.

    Who is in a segment of one of them would tell the value, and so would the exact size of two that lie close together.
    """
    seen = masking_of(tx.actor)
    classes = {one.column: contracts.class_of_field(one) for one in contract_of(tx).fields}
    return frozenset(
        name for name, known in classes.items() if known is DataClass.SENSITIVE and not seen.clear(known)
    )  # fmt: skip


def shown(tx: Tx, size: Size, *, hidden: bool) -> SegmentSize:
    """A size as the caller may see it: exact for who may see the people, else in tens; `hidden` says who may not."""
    may = allowed(Role(tx.actor.role), Permission.SEGMENTS_MEMBERS) is not None
    return rules.shown(size, exact=may and not hidden)


def forget_old(tx: Tx) -> int:
    """Delete sizes of more than two years ago."""
    return SegmentStore(tx).forget(tx.now() - _KEPT)


def compiled(contract: Contract, text: str) -> Condition:
    """The checked condition over that contract. Raises ConditionError, SegmentNotUsable."""
    return rules.compiled(text, catalogue_of(contract))


def _reads(tx: Tx, draft: Draft) -> tuple[str, ...]:
    contract = contract_of(tx)
    return rules.reads(compiled(contract, draft.condition), rules.computed(contract.fields))


def _check_room(store: SegmentStore) -> None:
    if store.count() >= SEGMENTS_MAX:
        raise SegmentNotUsable(f"The firm has {SEGMENTS_MAX} segments. Archive one first.")


def _count(tx: Tx, identifier: uuid.UUID, reads: Sequence[str], act: str) -> None:
    # What the condition compares with may say something of a person; which columns it reads does not.
    record_audit(tx, act, show_id(PREFIX, identifier), {"reads": list(reads)})
    runs.start(tx, COUNT_JOB, arguments={"segment": str(identifier)})
