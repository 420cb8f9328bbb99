"""Refused records: what is held back, why, and what they hold."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from finer.identity.service.reveals import note_reveal
from finer.ingest.errors import UnknownContract
from finer.ingest.rules.classes import class_of, severity
from finer.ingest.rules.naming import naming
from finer.ingest.rules.repair import Record, record_of, show_value
from finer.ingest.rules.shapes import Shape
from finer.ingest.service import contracts
from finer.ingest.store.acts import ActStore
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.ingest.types.quarantine import KeptRecord, QuarantineCause, QuarantinedRecord, Selection
from finer.ingest.types.receipts import Page
from finer.kit.crypto.bulk import Sealer
from finer.kit.errors import InvalidInput, NotFound
from finer.kit.ids import show_id
from finer.kit.masking import DataClass
from finer.kit.tx import Tx

EVERYTHING = Selection()
_EDIT = msgspec.msgpack.Decoder(tuple[bytes, dict[str, DataClass]])


class RecordField(msgspec.Struct, frozen=True):
    """One value of a refused record as it stands now, under the name by which it was sent."""

    name: str
    data_class: DataClass
    value: str | None
    edited: bool


def list_quarantined(
    tx: Tx, wanted: Selection = EVERYTHING, *, before: uuid.UUID | None = None, limit: int = 50
) -> Page[QuarantinedRecord]:
    """Quarantined records that fit, newest first. Raises as `refuse_unknown` when there is none."""
    items = QuarantineStore(tx).quarantined(wanted, before, limit + 1)
    if not items:
        refuse_unknown(tx, wanted)
    return Page(items[:limit], show_id("qua", items[limit - 1].id) if len(items) > limit else None)


def newest_ids(tx: Tx, wanted: Selection, limit: int) -> tuple[list[uuid.UUID], int]:
    """The ids of the newest quarantined records that fit, and how many there are; their content stays sealed."""
    store = QuarantineStore(tx)
    return store.newest_ids(wanted, limit), store.count(wanted)[0]


def get_quarantined(tx: Tx, identifier: uuid.UUID) -> QuarantinedRecord:
    """One quarantined record, whatever became of it. Raises NotFound."""
    found = QuarantineStore(tx).record(identifier)
    if found is None:
        raise NotFound(
            f"There is no quarantined record {show_id('qua', identifier)}. GET /api/v1/quarantine lists them."
        )
    return found


def quarantine_causes(tx: Tx, wanted: Selection = EVERYTHING) -> list[QuarantineCause]:
    """Quarantined records that fit by contract, field and rule, most frequent first, each with an example.

    Raises as `refuse_unknown` when there is none.
    """
    found = QuarantineStore(tx).causes(wanted)
    if not found:
        refuse_unknown(tx, wanted)
    return found


def refuse_unknown(tx: Tx, wanted: Selection) -> None:
    """For a selection that nothing fits: say that what it names does not exist, rather than that nothing waits.

    Raises UnknownContract, and InvalidInput for a field that neither a contract nor any refused record has.
    """
    known, store = contracts.load(tx).current, QuarantineStore(tx)
    if wanted.contract is not None and wanted.contract not in known and not store.knows(wanted.contract, None):
        raise UnknownContract(wanted.contract, known)
    if not wanted.field:
        return
    meant = [one for name, one in known.items() if wanted.contract in (None, name)]
    names = sorted({field.name for contract in meant for field in contract.fields})
    if wanted.field in names or store.knows(wanted.contract, wanted.field):
        return
    close = get_close_matches(wanted.field[:100], names, n=1)
    raise InvalidInput(
        f"There is no field {wanted.field[:80]!r}{f' in the contract {wanted.contract}' if wanted.contract else ''}. "
        f"{f'Did you mean {close[0]}? ' if close else ''}"
        "`finer quarantine causes` and the page Quarantine list the fields for which records are held back."
    )


def reveal(tx: Tx, identifier: uuid.UUID, reason: str) -> tuple[str, int]:
    """What was sent, in clear and noted with a reason, and how many more the caller may see this hour.

    Raises NotFound, and what `note_reveal` raises.
    """
    record = get_quarantined(tx, identifier)
    left = note_reveal(tx, show_id("qua", identifier), "raw", reason)
    return record.raw.decode("utf-8", "replace"), left


def fields_of(record: QuarantinedRecord, known: FirmContracts) -> list[RecordField]:
    """The values of a record as it stands now; empty when it cannot be taken apart."""
    contract = known.current.get(record.contract)
    if contract is None:
        return []
    shape = Shape(contract, record.mapping)
    values, classes = current(shape, record)
    return [
        RecordField(
            name, max(classes.get(name, DataClass.PUBLIC), _class(shape.written, name), key=severity),
            show_value(value), name in classes,
        )
        for name, value in (values or {}).items()
    ]  # fmt: skip


def classified(record: QuarantinedRecord, known: FirmContracts) -> Contract | None:
    """Every field that an error of a record may name, for its class; None when its contract is gone."""
    contract = known.current.get(record.contract)
    return None if contract is None else Shape(contract, record.mapping).classified


def shapes(contract: Contract, records: Sequence[KeptRecord]) -> list[tuple[Shape, list[int]]]:
    """How records were written, and which of them so."""
    places: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        # Records that are read together share one mapping.
        places.setdefault(id(record.mapping), []).append(place)
    return [(Shape(contract, records[those[0]].mapping), those) for those in places.values()]


def current(shape: Shape, record: KeptRecord) -> tuple[Record | None, dict[str, DataClass]]:
    """The values of a record as it stands now, or None, and how sensitive those are that were changed."""
    if record.edited is None:
        whole = record.raw_bytes <= len(record.raw)
        return (record_of(shape.written, record.raw, record.names, record.rules) if whole else None), {}
    data, classes = _EDIT.decode(record.edited)
    return record_of(shape.written, data, (), ()), classes


def sealing(tx: Tx) -> Sealer:
    """What seals the refused records of this tenant, for a transaction that only writes."""
    return QuarantineStore(tx).sealer()


def blank_refused(tx: Tx, identifier: str) -> int:
    """Empty the quarantined records that name this id, such as a customer's; their receipts still add up."""
    store, wanted = QuarantineStore(tx), naming(identifier)
    ActStore(tx).blank(wanted)
    return sum(store.blank(ids) for ids in store.holding(wanted))


def _class(contract: Contract, name: str) -> DataClass:
    for field in contract.fields:
        if name in (field.name, *field.aliases, *field.combined_aliases):
            return class_of(contract, field.name)
    return DataClass.SENSITIVE
