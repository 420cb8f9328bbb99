"""Trying a draft: what it would have quarantined of the week's records, and released of those in quarantine."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

import pyarrow as pa

from finer.ingest.rules.contract import check_contract
from finer.ingest.rules.repair import line_of
from finer.ingest.rules.shapes import Line
from finer.ingest.rules.trial import Tally, try_accepted
from finer.ingest.service import contracts
from finer.ingest.service.quarantine import current, shapes
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.contracts import ContractVersion, DraftTrial
from finer.ingest.types.quarantine import Selection
from finer.kit.moments import microseconds
from finer.kit.tx import Tx

_PAGE = 1_000


class Run:
    """One trial, step by step; between two steps whoever runs it may keep `findings` and stop."""

    def __init__(self, tx: Tx, draft: ContractVersion, trial: DraftTrial) -> None:
        self._draft = check_contract(draft.document, draft.contract)
        self._current = contracts.load(tx).current.get(draft.contract)
        self._now_us = microseconds(tx.now())
        self._tally = Tally(trial)

    def accepted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[None]:
        """Hold accepted records to the draft, in batches as the lake keeps them."""
        return try_accepted(self._draft, self._current, batches, self._now_us, self._tally)

    def quarantined(self, tx: Tx, before: uuid.UUID | None) -> uuid.UUID | None:
        """Hold the next open quarantined records to the draft; returns where to go on, None at the end."""
        page = QuarantineStore(tx).quarantined(Selection(contract=self._draft.name), before, _PAGE)
        self._tally.quarantined += len(page)
        for shape, places in shapes(self._draft, page):
            lines: list[Line] = []
            for record in (page[place] for place in places):
                values, _ = current(shape, record)
                if values is not None:
                    line = line_of(shape.written, values, microseconds(record.received_at))
                    lines.append((line, record.number))
            self._tally.unreadable += len(places) - len(lines)
            if lines:
                _, [result] = shape.check([lines], self._now_us)
                self._tally.released += result.accepted
        return page[-1].id if len(page) == _PAGE else None

    def findings(self) -> DraftTrial:
        """What was found so far."""
        return self._tally.trial()
