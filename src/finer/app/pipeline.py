"""The way of a record, written down once. Read from top to bottom: that is the order of the data.

    log rows -> decode -> deduplicate -> known frauds, erasures -> features -> rules, model, brakes -> ONE transaction
             -> lake

A synchronous decision is this path awaited. A restart is this path repeated from the last snapshot: rows below the
consumer's offset only rebuild state, rows below the lake's offset are not written again.

While one transaction is on its way to the disk, the next batch is decided; it is sent when that one is committed.

What else follows a record works beside this path and never in its way: `rollup_keeper.py` reads the log as a consumer
of its own, `case_keeper.py` and `alert_explainer.py` take up the alerts that were committed here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from finer.app.deciders import DecidedBy, Deciders
from finer.app.tenants import TenantContext, Tenants, WindowRow
from finer.app.window_rows import WindowRows
from finer.decisions.service import alerts as decisions
from finer.features import service as features
from finer.fraud.service import brakes, forgotten, label_rows, rule_sets
from finer.fraud.service import verdicts as fraud
from finer.fraud.service.forgotten import Forgotten
from finer.fraud.service.label_rows import LabelRow
from finer.ingest.service import activity, contracts, receipts
from finer.ingest.types.contracts import Contract
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.columns import Columns
from finer.kit.deduplication import CONFLICT, DUPLICATE, Deduplicator
from finer.kit.log import LogRow, Position, PostgresLog, decode
from finer.kit.tx import Tx
from finer.kit.write_pipeline import WritePipeline
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import DecisionColumns, LakeBatch

DECIDED_STREAM = "transaction"
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Batch:
    """One group of log rows of one tenant and one contract on its way, and what each step adds to it."""

    rows: list[LogRow]
    tenant: TenantContext
    contract: Contract
    position: Position
    base_offset: int
    columns: Columns
    offsets: Array
    status: Array
    decided_by: DecidedBy
    told: list[WindowRow] = field(default_factory=list)
    """Frauds that became known, and what is forgotten: this batch is the first to be counted so."""
    verdicts: fraud.Verdicts | None = None
    counted: brakes.Tally | None = None
    stopped: dict[str, str] = field(default_factory=dict)
    """Rules that the brake stopped at this batch, and why."""

    @property
    def next_offset(self) -> int:
        """The offset after the last record of this batch."""
        return self.base_offset + self.columns.rows

    @property
    def fresh(self) -> Array:
        """Which records are neither duplicates nor conflicts, shape (rows,), bool."""
        return np.equal(self.status, 0)


class Pipeline:
    """The state of one worker and the steps over it. One worker writes each partition."""

    def __init__(
        self,
        effects: WritePipeline,
        tenants: Tenants,
        engine: features.Engine,
        seen: Deduplicator,
        lake: warehouse.LakeWriter,
    ) -> None:
        self._effects = effects
        self._tenants = tenants
        self.deciders = Deciders(tenants)
        self.window_rows = WindowRows(tenants)
        self.engine = engine
        self.seen = seen
        self._lake = lake
        self.consumed: dict[Position, int] = {}
        self.applied: dict[Position, int] = {}
        self.last: dict[Position, tuple[int, int]] = {}
        """The last row that this process took of each position: base offset, and when it was appended."""
        self.in_lake: dict[tuple[uuid.UUID, Position], int] = {}
        self.at_work: list[LogRow] = []
        """The rows that a failure is about."""
        self._under_way: Batch | None = None

    def begin(self, held: dict[Position, int], log_begins: dict[Position, int]) -> None:
        """Start from windows that hold all below the offsets `held`, where the log holds nothing below `log_begins`."""
        self.applied = held | {one: max(offset, held.get(one, 0)) for one, offset in log_begins.items()}
        # A snapshot from before the windows counted frauds holds none, wherever it was taken.
        self.window_rows.begin(held, untold=not self.engine.metrics()["told"])
        self.settle()

    def settle(self) -> None:
        """Tell the windows of the rows that stand below the applied offsets, where no batch will do it."""
        for tenant, rows in self.window_rows.left_behind(self.applied):
            self._tell(self._tenants.of(tenant), rows)

    def starts_anew(self, row: LogRow) -> bool:
        """Whether a row cannot be in one group with the row before it: what is decided or known so far ends there."""
        position = (row.stream, row.partition)
        consumed = self.consumed.get(position, 0)
        if row.base_offset >= consumed or row.stream != DECIDED_STREAM:
            return row.base_offset == consumed
        return row.base_offset in self.deciders.begins(row.tenant, position) or self.window_rows.stands_before(
            row.tenant, position, row.base_offset
        )

    def process(self, rows: list[LogRow]) -> int:
        """Take consecutive log rows of one position, tenant and header all the way; returns how many records.

        Their effects may still be on their way when it returns: `finish` waits for them, and so does the next batch
        before it sends its own. The state is ahead of the database until then, and of no more use when that fails.
        """
        self.at_work = rows
        batch = self.decode(rows)
        self.deduplicate(batch)
        new = batch.next_offset > self.consumed.get(batch.position, 0)
        wanted = new or batch.next_offset > self.in_lake.get((batch.tenant.id, batch.position), 0)
        if batch.position[0] == DECIDED_STREAM:
            self.tell_windows(batch, new=new)
            self.compute_features(batch)
            if wanted:
                self.decide(batch, new=new)
        if new:
            self.commit(batch)
        elif wanted:
            self.store_in_lake(batch)
        self.applied[batch.position] = batch.next_offset
        self.last[batch.position] = (rows[-1].base_offset, rows[-1].appended_at_us)
        return batch.columns.rows

    def decode(self, rows: list[LogRow]) -> Batch:
        """Arrow IPC payloads become one batch of columns."""
        first = rows[0]
        batches = [decode(row.payload) for row in rows]
        whole = batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
        count = whole.num_rows
        contract = self._tenants.written_with(first.tenant, first.header)
        tenant = self._tenants.of(first.tenant)
        if first.stream == DECIDED_STREAM:
            whole = contracts.completed(whole, contract)
        return Batch(
            rows=rows,
            tenant=tenant,
            contract=contract,
            position=(first.stream, first.partition),
            base_offset=first.base_offset,
            columns=Columns(whole),
            offsets=np.arange(first.base_offset, first.base_offset + count, dtype=np.int64),
            status=np.zeros(count, np.uint8),
            decided_by=self.deciders.now(tenant),
        )

    def deduplicate(self, batch: Batch) -> None:
        """An event id counts once; the same id with another content is a conflict."""
        ids, contents = contracts.identify(batch.columns, batch.contract, batch.tenant.seed)
        batch.status = self.seen.check(ids, contents)

    def tell_windows(self, batch: Batch, *, new: bool) -> None:
        """Frauds that became known, and who is forgotten: as before this batch the first time, or what waits by now."""
        rows = self.window_rows.due(batch.tenant.id, batch.position, batch.base_offset)
        if new:
            batch.told = self.window_rows.waiting(batch.tenant.id)
        if rows or batch.told:
            self._tell(batch.tenant, [*rows, *batch.told])

    def compute_features(self, batch: Batch) -> None:
        """Amounts in US dollars, local time, then the sliding windows, duplicates left out."""
        fraud.derive(batch.columns, batch.tenant.rates, batch.tenant.zone)
        skip = None if not batch.status.any() else ~batch.fresh
        self.engine.step(batch.columns, batch.tenant.seed, skip)

    def decide(self, batch: Batch, *, new: bool) -> None:
        """Every rule and the model over the whole batch: those in force, or those of the first time."""
        tenant = batch.tenant
        if not new:
            batch.decided_by = self.deciders.then(tenant, batch.position, batch.base_offset)
        self._evaluate(batch)
        if new and batch.counted is not None:
            if not self.deciders.watches(tenant.id, batch.decided_by.rules):
                # What earlier batches did is read then, so all of it has to be there.
                self.finish()
            batch.stopped = self.deciders.stopped(tenant.id, batch.decided_by.rules, batch.counted, self._minute())
        if batch.stopped:
            # What a rule would do beyond its cap is not done at all: the whole batch is decided without it.
            rules = rule_sets.without(batch.decided_by.rules, set(batch.stopped))
            batch.decided_by = replace(batch.decided_by, rules=rules)
            self._evaluate(batch)

    def commit(self, batch: Batch) -> None:
        """Alerts, awaited answers, duplicates, counts and the consumer's offset: together or not at all."""
        self.finish()
        consumed = self.consumed.get(batch.position, 0)
        pin: rule_sets.Pin | None = None
        with self._transaction(batch) as tx:
            PostgresLog.advance(tx, READER, batch.position, consumed, batch.next_offset)
            if batch.verdicts is not None:
                pin = self.deciders.pin(tx, batch.tenant.id, batch.position, batch.base_offset, batch.decided_by)
                found = fraud.verdicts_to_store(
                    batch.columns,
                    batch.offsets,
                    batch.position[1],
                    batch.verdicts,
                    batch.fresh,
                    batch.decided_by.model,
                    tx.now(),
                    batch.decided_by.rules,
                    batch.contract.version,
                )
                decisions.record_verdicts(tx, found.alerts, found.decisions)
                if "awaited" in batch.columns:
                    again = batch.columns.arrow("event_id").filter(pa.array(~batch.fresh)).to_pylist()
                    decisions.announce_known(tx, again)
            if batch.told:
                gone, known = _apart(batch.told)
                forgotten.pin(tx, batch.position, batch.base_offset, gone)
                label_rows.pin(tx, batch.position, batch.base_offset, known)
            if batch.counted is not None:
                brakes.record(tx, batch.counted)
            if batch.status.any():
                receipts.record_outcomes(
                    tx,
                    batch.position,
                    batch.base_offset,
                    duplicates=batch.offsets[batch.status == DUPLICATE],
                    conflicts=batch.offsets[batch.status == CONFLICT],
                    columns=batch.columns,
                )
            occurred, received = batch.columns.values("occurred_at"), batch.columns.values("received_at")
            activity.record_processed(tx, batch.position[0], occurred, received, batch.status)
            if batch.stopped:
                brakes.demote(tx, batch.stopped)
        self.consumed[batch.position] = batch.next_offset
        self.deciders.committed(batch.tenant.id, batch.position, pin)
        if batch.counted is not None:
            self.deciders.count(batch.tenant.id, batch.decided_by.rules, batch.counted, self._minute())
        if batch.stopped:
            self._tenants.decide_with(batch.tenant.id, batch.decided_by.rules)
        self._under_way = batch
        if batch.told or batch.stopped:
            # What waits to be told is read before the next batch. What a brake stopped is committed already.
            self.finish()

    def finish(self) -> None:
        """Wait until the effects of the last batch are committed, and hand it on to the lake."""
        batch, self._under_way = self._under_way, None
        if batch is None:
            return
        others, self.at_work = self.at_work, batch.rows
        self._effects.finish()
        self.store_in_lake(batch)
        self.at_work = others

    def store_in_lake(self, batch: Batch) -> None:
        """Queue events and decisions for the lake; waits when the lake is too far behind."""
        verdicts = batch.verdicts
        decided = None
        if verdicts is not None:
            by = batch.decided_by
            decided = DecisionColumns(
                actions=verdicts.actions,
                fired=verdicts.fired,
                rule_ids=by.rules.ids(),
                shadow=verdicts.shadow,
                shadow_ids=by.rules.shadow_ids(),
                scores=verdicts.scores,
                features=fraud.stored_columns(batch.columns),
                exact=fraud.exact_columns(),
                feature_set=fraud.versions()["feature_set"],
                rule_pack=by.rules.version,
                model=None if by.model is None else by.model.sha256[:12],
                challenger=None if by.challenger is None else by.challenger.sha256[:12],
                challenger_scores=verdicts.challenger_scores,
            )
        self._lake.put(
            LakeBatch(
                tenant=batch.tenant.id,
                stream=batch.position[0],
                partition=batch.position[1],
                next_offset=batch.next_offset,
                events=batch.columns.batch,
                offsets=batch.offsets,
                keep=batch.fresh if batch.status.any() else None,
                decisions=decided,
            )
        )

    def _tell(self, tenant: TenantContext, rows: list[WindowRow]) -> None:
        gone, known = _apart(rows)
        # Frauds of before that name who is forgotten were parted from them, so none is told after this by mistake.
        for hashes in forgotten.told(gone):
            self.engine.forget(hashes, tenant.seed)
        self.engine.tell(*label_rows.told(known), tenant.seed)

    def _evaluate(self, batch: Batch) -> None:
        by = batch.decided_by
        batch.verdicts = fraud.evaluate(batch.columns, by.model, by.rules, by.challenger)
        batch.counted = brakes.count(by.rules, batch.verdicts, batch.fresh, batch.columns)
        if by.challenger is not None:
            brakes.count_challenger(batch.counted, batch.verdicts, by.challenger.threshold, batch.fresh, batch.columns)

    def _minute(self) -> int:
        return brakes.minute_at(self._tenants.database.clock.now())

    @contextmanager
    def _transaction(self, batch: Batch) -> Iterator[Tx]:
        """One round trip; where the brake stops a rule, an ordinary transaction, because that has to read."""
        if not batch.stopped:
            with self._effects.transaction(batch.tenant.id, SYSTEM, wait=False) as tx:
                yield tx
            return
        with self._tenants.database.transaction(batch.tenant.id, SYSTEM) as tx:
            # This one may be on a new connection, after a crash of the server that took the batch out of the log
            # (decision 0061). That of the effects is from before it was read, and fails then.
            with self._effects.transaction(batch.tenant.id, SYSTEM):
                pass
            yield tx


def _apart(rows: list[WindowRow]) -> tuple[list[Forgotten], list[LabelRow]]:
    return [row for row in rows if isinstance(row, Forgotten)], [row for row in rows if isinstance(row, LabelRow)]
