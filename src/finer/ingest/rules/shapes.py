"""How a refused record was written: in the fields of its contract, or in the columns of a file that a mapping reads.

A record is mended in the shape in which it came, and goes the whole way again from there: through the mapping, which
derives its id, amounts and types as it would have at first, and through the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import msgspec
import numpy as np
import pyarrow as pa

from finer.ingest.errors import RepairInvalid
from finer.ingest.rules.arrow_blocks import batch_block
from finer.ingest.rules.bodies import parse_group
from finer.ingest.rules.check import check_block
from finer.ingest.rules.mapping import Mapper, local_columns, source_contract
from finer.ingest.rules.plan import plan_of
from finer.ingest.types.contracts import Contract
from finer.ingest.types.records import Body, BodyResult, Mapping, RefusedRecord

_UNLIMITED = 2**62
Line = tuple[bytes, int]
"""A record as a line of NDJSON, and which record of its file it is."""


@dataclass(frozen=True)
class Shape:
    """The contract in force, and the mapping by which a record came, if any."""

    contract: Contract
    mapping: Mapping | None = None

    @cached_property
    def written(self) -> Contract:
        """What the record itself consists of: the fields of the contract, or the columns of its file."""
        return self.contract if self.mapping is None else source_contract(self.mapping, self.contract)

    @cached_property
    def classified(self) -> Contract:
        """Every field that an error may name, for its class: those of the contract, and the columns of the file."""
        if self.mapping is None:
            return self.contract
        own = self.written.fields
        names = {field.name for field in own}
        more = tuple(field for field in self.contract.fields if field.name not in names)
        return msgspec.structs.replace(self.contract, fields=(*own, *more))

    def check(self, bodies: Sequence[Sequence[Line]], received_us: int) -> tuple[pa.RecordBatch, list[BodyResult]]:
        """The accepted rows of several groups of lines, group by group, and what became of each group.

        Raises RepairInvalid for a line that is not one record.
        """
        sent = [Body(data=b"\n".join(line for line, _ in lines)) for lines in bodies]
        batch, results = parse_group(
            self.written, sent, received_us, unpacked_bytes_max=_UNLIMITED, records_max=_UNLIMITED
        )
        for result, lines in zip(results, bodies, strict=True):
            if result.error is not None:
                raise result.error
            if result.received != len(lines):
                raise RepairInvalid("A record must stay one record: it cannot hold others, such as a page of an API.")
        if self.mapping is None:
            return batch, results
        numbers = np.array([number for lines in bodies for _, number in lines], np.int64)
        return self._mapped(self.mapping, batch, results, numbers, received_us)

    def _mapped(
        self, mapping: Mapping, read: pa.RecordBatch, results: list[BodyResult], numbers: np.ndarray, received_us: int
    ) -> tuple[pa.RecordBatch, list[BodyResult]]:
        """The rows that fit the columns of the file, mapped and held to the contract."""
        ends = list(accumulate(result.received for result in results))
        fits = np.ones(len(numbers), np.bool_)
        for end, result in zip(ends, results, strict=True):
            fits[[end - result.received + refused.line - 1 for refused in result.refused]] = False
        places = np.flatnonzero(fits)
        rows = local_columns(mapping, read.select(self.written_names))
        plan = plan_of(self.contract)
        mapped = Mapper(mapping, rows.schema, "mapping").apply(rows, pa.array(numbers[places]))
        checked = check_block(plan, batch_block(plan, mapped, rows, 0), received_us)
        for _, refused in checked.refused:
            owner = int(np.searchsorted(ends, places[refused.line], "right"))
            line = int(places[refused.line]) - (ends[owner] - results[owner].received) + 1
            results[owner].refused.append(_moved(refused, line))
            results[owner].accepted -= 1
        for result in results:
            result.refused.sort(key=lambda one: one.line)
        return checked.batch, results

    @cached_property
    def written_names(self) -> list[str]:
        """The columns of a batch of such records."""
        return [field.column for field in self.written.fields]


def _moved(refused: RefusedRecord, line: int) -> RefusedRecord:
    return msgspec.structs.replace(refused, line=line)
