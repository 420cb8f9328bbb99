"""What every reader does with records: hold them to the contract, and say where they came from."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from finer.ingest.service import parsing
from finer.ingest.types.contracts import Contract
from finer.ingest.types.records import Body, BodyResult, FileGroup, Mapping, ParsedGroup, RefusedRecord
from finer.kit.clock import Clock
from finer.kit.errors import InvalidInput
from finer.sources.errors import SourceMisconfigured

TRIAL_ROWS = 20
_MAPPING = "mapping-invalid"  # what a mapping is refused with that does not fit a file


@dataclass(frozen=True)
class Target:
    """The contract that a source's records are held to. `label` and `shown_id` say whose they are, for receipts."""

    contract: Contract
    mapping: Mapping | None
    label: str
    shown_id: str
    clock: Clock

    def groups(self, handle: BinaryIO, name: str, what: str, total: int = 0) -> Iterator[FileGroup]:
        """The records of an open file, group by group; `name` tells its format.

        Raises InvalidInput where it cannot be read on, SourceMisconfigured when the mapping does not fit it.
        """
        source = f"{self.label}: {what} [{self.shown_id}]"
        try:
            yield from parsing.read_open(
                handle, name, self.contract, self.mapping, source=source, total=total, clock=self.clock
            )
        except InvalidInput as error:
            if error.slug == _MAPPING:
                raise SourceMisconfigured(error.detail) from error
            raise

    def lines(self, records: Sequence[dict[str, Any]], what: str) -> list[ParsedGroup]:
        """Records that are Python objects already."""
        if not records:
            return []
        body = b"\n".join(msgspec.json.encode(record) for record in records)
        return [group.parsed for group in self.groups(io.BytesIO(body), "records.ndjson", what)]

    def refused(self, record: RefusedRecord, what: str) -> ParsedGroup:
        """A message that is no record at all, to be kept in quarantine."""
        source = f"{self.label}: {what} [{self.shown_id}]"
        empty = pa.RecordBatch.from_pylist([], schema=self.contract.schema)
        result = BodyResult(received=1, accepted=0, refused=[record], unknown_fields=[])
        return ParsedGroup(empty, [result], [Body(data=b"", source=source)], self.clock.now(), self.contract)


def newest(groups: Sequence[ParsedGroup]) -> datetime | None:
    """When the newest of the accepted records happened."""
    found = [
        pc.max(group.batch.column("occurred_at")).as_py()
        for group in groups
        if group.batch.num_rows and "occurred_at" in group.batch.schema.names
    ]
    return max((one for one in found if one is not None), default=None)


def as_stream(batch: pa.RecordBatch) -> BinaryIO:
    """A record batch as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    sink.seek(0)
    return sink
