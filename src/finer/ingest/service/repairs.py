"""Changing refused records before they are released: what a change would do, and one record by hand."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from finer.identity.service.audit import record_audit
from finer.ingest.errors import NotWaiting, RepairInvalid
from finer.ingest.rules.classes import class_of, guarded, severity
from finer.ingest.rules.repair import Record, Repair, line_of, record_of, show_value, written
from finer.ingest.rules.shapes import Shape
from finer.ingest.service import contracts
from finer.ingest.service.quarantine import current, get_quarantined, refuse_unknown, shapes
from finer.ingest.store.acts import ActStore
from finer.ingest.store.edits import EditStore
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.contracts import Contract
from finer.ingest.types.quarantine import Act, KeptRecord, QuarantinedRecord, Selection
from finer.ingest.types.records import FieldError
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass
from finer.kit.moments import microseconds
from finer.kit.tx import Tx

SAMPLE = 1_000
EXAMPLES = 20
UNREADABLE = "record unreadable"
RECORD_BYTES_MAX = 64 * 1024
_EDIT = msgspec.msgpack.Encoder()


@dataclass(frozen=True)
class Changed:
    """A record with its new values, before they are kept: as a line of NDJSON in the shape in which it came."""

    record: KeptRecord
    shape: Shape
    values: Record
    classes: dict[str, DataClass]

    @cached_property
    def line(self) -> bytes:
        """The record as it would be kept."""
        return line_of(self.shape.written, self.values, microseconds(self.record.received_at))


class Difference(msgspec.Struct, frozen=True):
    """What a change does to one value."""

    field: str
    data_class: DataClass
    before: str | None
    after: str | None


class Example(msgspec.Struct, frozen=True):
    """What a change does to one record, and what that still breaks."""

    record: QuarantinedRecord
    differences: list[Difference]
    remaining: list[FieldError]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do to the newest `looked_at` of the `matched` records.

    Of these `changed` would be different, and `passing` keep the contract then; `failed` counts by "field rule" what
    the others would still break.
    """

    matched: int
    looked_at: int
    changed: int
    passing: int
    failed: dict[str, int]
    examples: list[Example]


def chosen_contract(tx: Tx, selection: Selection) -> Contract:
    """The contract in force for a selection that is to be changed or released. Raises InvalidInput for several."""
    if selection.contract is None:
        raise InvalidInput("Choose the records of one contract: the selection lacks contract.")
    return contracts.load(tx).named(selection.contract)


def check_assignments(tx: Tx, selection: Selection, assignments: Sequence[tuple[str, str]]) -> None:
    """Raises RepairInvalid for assignments that do not fit every record of a selection, however it came."""
    known = chosen_contract(tx, selection)
    found = QuarantineStore(tx).mappings(selection) or [None]
    for mapping in found:
        try:
            Repair(Shape(known, mapping).written, assignments)
        except RepairInvalid as error:
            if mapping is None and len(found) == 1:
                raise
            hint = "They came by a mapping: name the columns of their file, from which it makes the fields."
            if len(found) > 1:
                hint = "The selection holds records of several kinds of files: choose those of one source or receipt."
            raise RepairInvalid(f"{error.detail} {hint}") from error


def preview(tx: Tx, selection: Selection, assignments: Sequence[tuple[str, str]]) -> Preview:
    """What the assignments would do to the records of a selection, tried on the newest ones. Nothing is changed.

    Raises RepairInvalid for assignments that cannot be used, and as `refuse_unknown` when nothing fits.
    """
    known = chosen_contract(tx, selection)
    check_assignments(tx, selection, assignments)
    store = QuarantineStore(tx)
    matched, _ = store.count(selection)
    if not matched:
        refuse_unknown(tx, selection)
    records = store.quarantined(selection, None, SAMPLE)
    changed, failed = apply(known, assignments, records)
    broken = check_changed(known, changed, microseconds(tx.now()))
    for errors in broken:
        count_failure(failed, errors)
    whole = {record.id: record for record in records}
    examples = [
        Example(whole[one.record.id], _differences(one), guarded(one.shape.classified, errors))
        for one, errors in list(zip(changed, broken, strict=True))[:EXAMPLES]
    ]
    return Preview(
        matched=matched,
        looked_at=len(records),
        changed=len(changed),
        passing=sum(not errors for errors in broken),
        failed=failed,
        examples=examples,
    )


def apply(
    known: Contract, assignments: Sequence[tuple[str, str]], records: Sequence[KeptRecord]
) -> tuple[list[Changed], dict[str, int]]:
    """The records that the assignments change, and how many cannot be taken apart."""
    changed: list[Changed] = []
    unreadable = 0
    for shape, places in shapes(known, records):
        those = [records[place] for place in places]
        repair = Repair(shape.written, assignments)
        before = [current(shape, record) for record in those]
        after = repair.apply([values for values, _ in before], [microseconds(record.received_at) for record in those])
        unreadable += sum(new is None for new in after)
        more = repair.classes
        changed += [
            Changed(record, shape, new, classes | more)
            for record, (old, classes), new in zip(those, before, after, strict=True)
            if new is not None and new is not old
        ]
    return changed, {UNREADABLE: unreadable} if unreadable else {}


def check_changed(known: Contract, changed: Sequence[Changed], received_us: int) -> list[list[FieldError]]:
    """What each record would still break; empty for those that keep the contract."""
    found: list[list[FieldError]] = [[] for _ in changed]
    for shape, places in shapes(known, [one.record for one in changed]):
        lines = [(changed[place].line, changed[place].record.number) for place in places]
        _, [result] = shape.check([lines], received_us)
        for refused in result.refused:
            found[places[refused.line - 1]] = refused.errors
    return found


def count_failure(failed: dict[str, int], errors: Sequence[FieldError]) -> None:
    """Count what a record still breaks under its first error, as causes are counted."""
    if errors:
        key = f"{errors[0].field or 'record'} {errors[0].rule}"
        failed[key] = failed.get(key, 0) + 1


def edit_of(line: bytes, classes: Mapping[str, DataClass]) -> bytes:
    """What is kept of a changed record."""
    return _EDIT.encode((line, dict(classes)))


def check_changes(
    tx: Tx, identifier: uuid.UUID, changes: Mapping[str, str | None], whole: str | None = None
) -> list[FieldError]:
    """What a record would still break with these changes; nothing is changed. Raises as `edit_record` does."""
    record = _waiting(get_quarantined(tx, identifier))
    known = contracts.load(tx).named(record.contract)
    one = _changed_by_hand(known, record, changes, whole)
    [errors] = check_changed(known, [one], microseconds(tx.now()))
    return guarded(one.shape.classified, errors)


def edit_record(
    tx: Tx, identifier: uuid.UUID, changes: Mapping[str, str | None], whole: str | None = None
) -> QuarantinedRecord:
    """Keep changed values of one record, each as a text, None to take it away; or `whole`, the record as JSON.

    Raises NotFound, NotWaiting when it is no longer in quarantine, RepairInvalid for what cannot be a record.
    """
    get_quarantined(tx, identifier)
    store = QuarantineStore(tx)
    locked = store.record(identifier, lock=True)
    assert locked is not None  # noqa: S101 - it was there, and records that wait are not deleted
    record = _waiting(locked)
    known = contracts.load(tx).named(record.contract)
    one = _changed_by_hand(known, record, changes, whole)
    [errors] = check_changed(known, [one], microseconds(tx.now()))
    act = Act(
        id=new_id(),
        kind="edit",
        contract=known.name,
        selection=Selection(ids=(identifier,)),
        assignments=[],
        reason=", ".join(sorted(changes)) if whole is None else "the whole record",
        state="done",
        matched=1,
        done=1,
        changed=1,
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        created_at=tx.now(),
        finished_at=tx.now(),
    )
    count_failure(act.failed, errors)
    ActStore(tx).add(act)
    EditStore(tx).keep(
        act.id, tx.now(), [(identifier, edit_of(one.line, one.classes), guarded(one.shape.classified, errors))]
    )
    record_audit(tx, "quarantine:edit", show_id("qua", identifier), {"fields": sorted(changes) or ["record"]})
    return get_quarantined(tx, identifier)


def _waiting(record: QuarantinedRecord) -> QuarantinedRecord:
    if record.state not in ("open", "edited"):
        raise NotWaiting(f"{show_id('qua', record.id)} is {record.state} already. Reload to see what became of it.")
    return record


def _changed_by_hand(
    known: Contract, record: QuarantinedRecord, changes: Mapping[str, str | None], whole: str | None
) -> Changed:
    shape = Shape(known, record.mapping)
    if whole is not None:
        return _given_whole(shape, record, whole, changes)
    values, classes = current(shape, record)
    if values is None:
        raise RepairInvalid("This record cannot be taken apart into fields. Send it whole, as one JSON object.")
    if not changes:
        raise RepairInvalid("Nothing is changed. Name at least one field.")
    for name, text in changes.items():
        field = next((one for one in shape.written.fields if one.name == name), None)
        if field is None and text is not None:
            raise RepairInvalid(
                f"{shape.written.name.capitalize()} has no field {name[:80]!r}. Its fields are: "
                f"{', '.join(one.name for one in shape.written.fields)}."
            )
        names = (name,) if field is None else (name, *field.aliases, *field.combined_aliases)
        given = {}
        if text is not None and field is not None:
            given[name] = written(field.kind, text)
            classes = classes | {name: class_of(shape.written, name)}
        values = _in_place(values, names, given)
    return Changed(record, shape, values, classes)


def _in_place(values: Mapping[str, Any], names: Collection[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` instead of what is called one of `names`, where the first of them stood; at the end where none did."""
    place = next((at for at, key in enumerate(values) if key in names), len(values))
    kept = [(key, value) for key, value in values.items() if key not in names]
    return dict([*kept[:place], *given.items(), *kept[place:]])


def _given_whole(shape: Shape, record: QuarantinedRecord, whole: str, changes: Mapping[str, str | None]) -> Changed:
    values = record_of(shape.written, whole.encode(), (), ("duplicate_key",))
    if changes or values is None or len(whole.encode()) > RECORD_BYTES_MAX:
        raise RepairInvalid(
            f"The record must be one JSON object of at most {RECORD_BYTES_MAX} bytes that gives no name twice, "
            "and be sent without changes beside it."
        )
    return Changed(record, shape, values, dict.fromkeys(values, DataClass.SENSITIVE))


def _differences(changed: Changed) -> list[Difference]:
    before, after = current(changed.shape, changed.record)[0] or {}, changed.values
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [
        Difference(
            name,
            max(changed.classes.get(name, DataClass.PUBLIC), class_of(changed.shape.written, name), key=severity),
            show_value(before.get(name)),
            show_value(after.get(name)),
        )
        for name in names
    ]
