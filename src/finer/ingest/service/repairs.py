"""Changing refused records before they are released: what a change would do, and one record by hand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import msgspec

from finer.identity.service.audit import record_audit
from finer.ingest.errors import NotWaiting, RepairInvalid
from finer.ingest.rules.classes import class_of, guarded, severity
from finer.ingest.rules.repair import Record, Repair, check_lines, line_of, record_of, show_value, written
from finer.ingest.service import contracts
from finer.ingest.service.quarantine import current, get_quarantined
from finer.ingest.store.acts import ActStore
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.contracts import Contract
from finer.ingest.types.quarantine import Act, QuarantinedRecord, Selection
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
Changed = tuple[QuarantinedRecord, Record, dict[str, DataClass]]


class Difference(msgspec.Struct, frozen=True):
    """What a change does to one value."""

    field: str
    data_class: DataClass
    before: str | None
    after: str | None


class Example(msgspec.Struct, frozen=True):
    """What a change does to one record, and what that still breaks."""

    id: uuid.UUID
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


def preview(tx: Tx, selection: Selection, assignments: Sequence[tuple[str, str]]) -> Preview:
    """What the assignments would do to the records of a selection, tried on the newest ones. Nothing is changed.

    Raises RepairInvalid for assignments that cannot be used.
    """
    known = chosen_contract(tx, selection)
    repair = Repair(known, assignments)
    store = QuarantineStore(tx)
    matched, _ = store.count(selection)
    records = store.quarantined(selection, None, SAMPLE)
    changed, failed = apply(known, repair, records)
    lines = [line_of(known, values, microseconds(record.received_at)) for record, values, _ in changed]
    broken = check_lines(known, lines, microseconds(tx.now())) if lines else []
    for errors in broken:
        count_failure(failed, errors)
    examples = [
        Example(record.id, _differences(known, record, values, classes), guarded(known, errors))
        for (record, values, classes), errors in list(zip(changed, broken, strict=True))[:EXAMPLES]
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
    known: Contract, repair: Repair, records: Sequence[QuarantinedRecord]
) -> tuple[list[Changed], dict[str, int]]:
    """The records that the repair changes, and how many cannot be taken apart."""
    before = [current(known, record) for record in records]
    after = repair.apply([values for values, _ in before], [microseconds(record.received_at) for record in records])
    changed = [
        (record, new, classes | repair.classes)
        for record, (old, classes), new in zip(records, before, after, strict=True)
        if new is not None and new is not old
    ]
    unreadable = sum(new is None for new in after)
    return changed, {UNREADABLE: unreadable} if unreadable else {}


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
    values, _ = _changed_by_hand(known, record, changes, whole)
    line = line_of(known, values, microseconds(record.received_at))
    [errors] = check_lines(known, [line], microseconds(tx.now()))
    return guarded(known, errors)


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
    values, classes = _changed_by_hand(known, record, changes, whole)
    line = line_of(known, values, microseconds(record.received_at))
    [errors] = check_lines(known, [line], microseconds(tx.now()))
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
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        created_at=tx.now(),
        finished_at=tx.now(),
    )
    count_failure(act.failed, errors)
    ActStore(tx).add(act)
    store.edit(act.id, tx.now(), [(identifier, edit_of(line, classes), guarded(known, errors))])
    record_audit(tx, "quarantine:edit", show_id("qua", identifier), {"fields": sorted(changes) or ["record"]})
    return get_quarantined(tx, identifier)


def _waiting(record: QuarantinedRecord) -> QuarantinedRecord:
    if record.state not in ("open", "edited"):
        raise NotWaiting(f"{show_id('qua', record.id)} is {record.state} already. Reload to see what became of it.")
    return record


def _changed_by_hand(
    known: Contract, record: QuarantinedRecord, changes: Mapping[str, str | None], whole: str | None
) -> tuple[Record, dict[str, DataClass]]:
    if whole is not None:
        return _given_whole(known, whole, changes)
    values, classes = current(known, record)
    if values is None:
        raise RepairInvalid("This record cannot be taken apart into fields. Send it whole, as one JSON object.")
    if not changes:
        raise RepairInvalid("Nothing is changed. Name at least one field.")
    for name, text in changes.items():
        field = next((one for one in known.fields if one.name == name), None)
        if field is None and text is not None:
            raise RepairInvalid(
                f"The contract {known.name} has no field {name[:80]!r}. Its fields are: "
                f"{', '.join(one.name for one in known.fields)}."
            )
        names = (name,) if field is None else (name, *field.aliases, *field.combined_aliases)
        values = {key: value for key, value in values.items() if key not in names}
        if text is not None and field is not None:
            values[name] = written(field.kind, text)
            classes = classes | {name: class_of(known, name)}
    return values, classes


def _given_whole(known: Contract, whole: str, changes: Mapping[str, str | None]) -> tuple[Record, dict[str, DataClass]]:
    values = record_of(known, whole.encode(), (), ("duplicate_key",))
    if changes or values is None or len(whole.encode()) > RECORD_BYTES_MAX:
        raise RepairInvalid(
            f"The record must be one JSON object of at most {RECORD_BYTES_MAX} bytes that gives no name twice, "
            "and be sent without changes beside it."
        )
    return values, dict.fromkeys(values, DataClass.SENSITIVE)


def _differences(
    known: Contract, record: QuarantinedRecord, after: Record, classes: Mapping[str, DataClass]
) -> list[Difference]:
    before = current(known, record)[0] or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [
        Difference(
            name,
            max(classes.get(name, DataClass.PUBLIC), class_of(known, name), key=severity),
            show_value(before.get(name)),
            show_value(after.get(name)),
        )
        for name in names
    ]
