"""Compile or load the kernels before the first request."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from finer.ingest.rules.bodies import RECORDS_MAX, parse_group
from finer.ingest.rules.check import fingerprint
from finer.ingest.rules.plan import plan_of
from finer.ingest.types.contracts import Contract
from finer.ingest.types.records import Body
from finer.kit.columns import Columns

_UNPACKED_MAX = 1 << 20
_NOON_US = 1_800_000_000_000_000
_BODIES = (
    (
        "ndjson",
        (
            b'{"event_id": "w", "customerNumber": 1, "zz": "\\u00e9", "amount": 1.5, "date_of_birth": "2000-01-01", '
            b'"occurred_at": "2026-11-20T10:00:00.5Z", "income_thousands": 1.5, "quantity": 1, "duration_ms": 1}\n'
            b'{"customerNumber": "c", "transactionDate": "2026-11-20", "transactionTime": "10:00:00", "amount": 1}\n'
        ),
    ),
    ("json", b'[{"customer_id": "c", "amount": 1, "occurred_at": "2026-11-20T10:00:00Z"}]'),
    ("csv", b"customer_id,amount,occurred_at\nc,1,2026-11-20T10:00:00Z\n"),
)


def warm_up(contracts: Iterable[Contract]) -> None:
    """Parse a small body of each format for each contract, alone and as a group."""
    sample = pa.record_batch({"customer_id": ["c", None], "amount": [1.5, 2.0], "occurred_at": ["2026-11-20"] * 2})
    table = _encoded(sample).to_pybytes()
    for contract in contracts:
        for kind, data in (*_BODIES, ("arrow", table)):
            body = Body(data=data, format=kind)
            batch, _ = parse_group(
                contract, [body, body], _NOON_US, unpacked_bytes_max=_UNPACKED_MAX, records_max=RECORDS_MAX
            )
            if batch.num_rows:
                copy = pa.ipc.open_stream(_encoded(batch)).read_all().to_batches()[0]
                fingerprint(plan_of(contract), Columns(copy))
                np.asarray(Columns(copy).hashes("event_id"))


def _encoded(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()
