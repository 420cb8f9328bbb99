"""The reader of a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from finer.ingest.service import contracts
from finer.ingest.types.contracts import FirmContracts
from finer.ingest.types.records import BodyResult
from finer.kit.clock import Clock
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.outbound import OutboundRefused
from finer.kit.tx import Tx
from finer.sources.errors import SourceFailed, SourceMisconfigured
from finer.sources.service.checking import allowed_folder, check_records, check_settings
from finer.sources.service.reach import Reach
from finer.sources.service.readers.target import TRIAL_ROWS, Target
from finer.sources.types import (
    Credentials,
    FolderSettings,
    Item,
    KafkaSettings,
    Memory,
    ObjectSettings,
    Page,
    PlaidSettings,
    PostgresSettings,
    Reader,
    Source,
    StripeSettings,
    Trial,
    TrialValue,
)

_FOLDER_EVERY_S, _OBJECTS_EVERY_S = 2.0, 10.0
_PLAID_S = 30.0


@dataclass(frozen=True)
class Surroundings:
    """What a reader needs of the firm that it reads for."""

    reach: Reach
    contracts: FirmContracts
    clock: Clock


def surroundings_of(tx: Tx, reach: Reach) -> Surroundings:
    """The firm's contracts as they are now, and its walls."""
    return Surroundings(reach, contracts.load(tx), tx.clock)


def open_reader(
    source: Source, credentials: Credentials, surroundings: Surroundings, memory: Memory, *, trial: bool = False
) -> Reader:
    """What reads the source from where it stands; a `trial` looks at the first records and remembers nothing.

    Raises SourceFailed to be tried again, SourceMisconfigured when somebody has to change the source first.
    """
    reach, clock = surroundings.reach, surroundings.clock
    try:
        check_settings(source.settings, credentials, reach)
        contract, mapping = check_records(surroundings.contracts, source.settings, source.contract, source.mapping)
    except FinerError as error:
        raise SourceMisconfigured(error.detail) from error
    target = Target(contract, mapping, source.name, show_id("src", source.id), clock)
    settings = source.settings
    # Each of them loads a library that processes without such a source do not need.
    try:
        if isinstance(settings, FolderSettings):
            from finer.sources.service.readers.files import FileReader  # noqa: PLC0415
            from finer.sources.service.readers.folder import Folder  # noqa: PLC0415

            folder = Folder(allowed_folder(settings.folder, reach), settings, clock)
            return FileReader(folder, target, memory, every_s=_FOLDER_EVERY_S, trial=trial)
        if isinstance(settings, ObjectSettings):
            from finer.sources.service.readers.files import FileReader  # noqa: PLC0415
            from finer.sources.service.readers.objects import Objects  # noqa: PLC0415

            objects = Objects(settings, credentials, reach)
            return FileReader(objects, target, memory, every_s=_OBJECTS_EVERY_S, trial=trial)
        if isinstance(settings, KafkaSettings):
            from finer.sources.service.readers.kafka import KafkaReader  # noqa: PLC0415

            return KafkaReader(settings, credentials, reach, target, memory, backfill=source.backfill, trial=trial)
        if isinstance(settings, PlaidSettings):
            from finer.sources.service.readers.plaid import PlaidReader  # noqa: PLC0415

            outbound = reach.door(timeout_s=_PLAID_S)
            return PlaidReader(settings, credentials, outbound, target, memory, trial=trial)
        if isinstance(settings, PostgresSettings):
            from finer.sources.service.readers.postgres import PostgresReader  # noqa: PLC0415
            from finer.sources.store.foreign import ForeignTable  # noqa: PLC0415

            table = ForeignTable(settings, credentials, reach.address_of(settings.host, settings.port))
            return PostgresReader(table, settings, target, memory, backfill=source.backfill, trial=trial)
    except OutboundRefused as error:
        raise SourceFailed(error.detail) from error
    raise SourceMisconfigured("Stripe sends by itself, so there is nothing to read.")


def try_out(source: Source, credentials: Credentials, surroundings: Surroundings) -> Trial:
    """The first records of a source as they would be taken; nothing is taken. Raises as `open_reader`."""
    if isinstance(source.settings, StripeSettings):
        check_settings(source.settings, credentials, surroundings.reach)
        check_records(surroundings.contracts, source.settings, source.contract, source.mapping)
        note = (
            "Stripe sends by itself: save the source, then send a test event from the page of the endpoint at Stripe."
        )
        return Trial(received=0, accepted=0, quarantined=0, records=[], problems=[], notes=[note])
    reader = open_reader(source, credentials, surroundings, _Nothing(), trial=True)
    notes: list[str] = []
    try:
        for page in reader.sweep():
            notes += page.notes
            if page.groups:
                return _trial_of(surroundings.contracts, source.contract, page, notes)
    finally:
        reader.close()
    notes = notes or ["The source can be read, and holds no record at present."]
    return Trial(received=0, accepted=0, quarantined=0, records=[], problems=[], notes=notes)


def _trial_of(known: FirmContracts, contract: str, page: Page, notes: list[str]) -> Trial:
    results = [result for group in page.groups for result in group.bodies]
    unknown = sorted({name for result in results for name in result.unknown_fields})
    if unknown:
        notes.append(f"The contract does not know these fields, so they are left out: {', '.join(unknown[:10])}.")
    return Trial(
        received=sum(result.received for result in results),
        accepted=sum(result.accepted for result in results),
        quarantined=sum(len(result.refused) for result in results),
        records=_shown(known, contract, [group.batch for group in page.groups if group.batch.num_rows]),
        problems=_problems(known, contract, results),
        notes=notes,
    )


def _problems(known: FirmContracts, contract: str, results: Sequence[BodyResult]) -> list[str]:
    errors = [error for result in results for one in result.refused[:5] for error in one.errors]
    return [
        contracts.guarded_reason(known.current.get(contract), one.field, one.rule, one.reason)[1] for one in errors[:10]
    ]


def _shown(known: FirmContracts, contract: str, batches: list[pa.RecordBatch]) -> list[list[TrialValue]]:
    if not batches:
        return []
    rows = batches[0].slice(0, TRIAL_ROWS).to_pylist()
    names = [name for name in batches[0].schema.names if name != "received_at"]
    classes = {
        name: contracts.guarded_reason(known.current.get(contract), name.removesuffix("_minor"), "", "")[0]
        for name in names
    }
    return [
        [TrialValue(name, classes[name], None if row[name] is None else _text(row[name])) for name in names]
        for row in rows
    ]


def _text(value: object) -> str:
    text = value if isinstance(value, str) else str(msgspec.to_builtins(value))
    return text[:200]


class _Nothing:
    """The memory of a look: there is none."""

    def positions(self) -> dict[str, dict[str, Any]]:
        return {}

    def items(self, names: Sequence[str]) -> dict[str, Item]:  # noqa: ARG002
        return {}

    def saw(self, names: Sequence[str]) -> None:
        """Nothing is remembered."""

    def content(self, content: bytes) -> Item | None:  # noqa: ARG002
        return None

    def records(self, keys: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002
        return {}
