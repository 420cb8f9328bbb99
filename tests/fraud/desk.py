"""A firm with its rules, its log and its pipeline: records in, what was decided out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import numpy as np

from finer.app.pipeline import Pipeline
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.tenants import Tenants
from finer.app.worker import _groups
from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Action, Alert, AlertFilter
from finer.features import service as features
from finer.fraud.service import rules
from finer.fraud.service import verdicts as fraud
from finer.fraud.types import Brake, Price, RuleText, RuleVersion
from finer.identity.service import proposals
from finer.identity.types.access import Role
from finer.identity.types.proposals import Proposal
from finer.ingest.service import contracts, parsing, receipts
from finer.ingest.types.receipts import READER, Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import WORKER, Connection, Database
from finer.kit.deduplication import Deduplicator
from finer.kit.log import LogReader, LogRow, PostgresLog
from finer.kit.write_pipeline import WritePipeline
from finer.warehouse.service.lake import LakeWriter
from finer.warehouse.types import LakeBatch
from tests.support.identity import Firm

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)


def text(condition: str, action: Action = Action.BLOCK, **changes: Any) -> RuleText:
    """A rule of some condition."""
    plain = RuleText(title="A rule", condition=condition, action=action, reason="It is {amount_usd:usd}.")
    return msgspec.structs.replace(plain, **changes)


def acting(firm: Firm, role: Role = Role.RISK_ANALYST) -> Actor:
    """Somebody of the firm who acts."""
    user = firm.user(role)
    return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value)


def payment(number: int, amount: float = 20, **changes: Any) -> dict[str, Any]:
    """An everyday payment, each of an account of its own."""
    return {
        "event_id": f"e{number}", "occurred_at": NOON.isoformat(), "customer_id": f"c{number}",
        "account_id": f"a{number}", "card_last4": "1111", "amount": amount, "currency": "USD", "type": "purchase",
        "merchant_id": "m1", "merchant_name": "Corner Shop", "merchant_country": "PH", "channel": "pos",
        "device_id": f"d{number}",
    } | changes  # fmt: skip


@dataclass
class Lake:
    """What would go to the lake."""

    batches: list[LakeBatch] = field(default_factory=list)

    def put(self, batch: LakeBatch) -> None:
        """Keep a batch."""
        self.batches.append(batch)

    def decided(self) -> dict[int, tuple[str, list[str], list[str]]]:
        """By log offset: the rule set, the rules that held, those in shadow."""
        found = {}
        for batch in self.batches:
            by = batch.decisions
            assert by is not None
            shadow = np.zeros(len(batch.offsets), np.uint64) if by.shadow is None else by.shadow
            for row, offset in enumerate(batch.offsets.tolist()):
                held = [name for bit, name in enumerate(by.rule_ids) if int(by.fired[row]) >> bit & 1]
                tried = [name for bit, name in enumerate(by.shadow_ids) if int(shadow[row]) >> bit & 1]
                found[offset] = (by.rule_pack, held, tried)
        return found


class Desk:
    """The risk desk of one firm with a worker of its own."""

    def __init__(self, firm: Firm, url: str, reader: Connection) -> None:
        self.firm, self._url, self._reader = firm, url, reader
        self._log = LogReader(reader)
        self.firms = {firm.tenant.id}
        self.writer, self.checker = acting(firm), acting(firm)
        self.database = Database(url, WORKER, connections=3, clock=firm.database.clock)
        self.effects = WritePipeline(url, WORKER, name="desk", clock=firm.database.clock)
        self.start()

    def start(self) -> None:
        """Begin with a new worker that remembers nothing."""
        self.lake = Lake()
        self.tenants = Tenants(self.database)
        engine = features.Engine(fraud.windows(), pool_events=4096)
        seen = Deduplicator(4096)
        self.pipeline = Pipeline(self.effects, self.tenants, engine, seen, cast(LakeWriter, self.lake))
        self.pipeline.consumed = PostgresLog.consumed(self._reader, READER)
        self.pipeline.begin({}, PostgresLog.begins(self._reader, self.pipeline.consumed))

    def close(self) -> None:
        """Let go of the connections."""
        self.effects.close()
        self.database.close()

    def send(self, records: Iterable[dict[str, Any]], firm: Firm | None = None) -> None:
        """Records go into the log, and nothing is decided yet; another firm's are then worked on too."""
        firm = firm or self.firm
        self.firms.add(firm.tenant.id)
        data = "\n".join(json.dumps(record) for record in records).encode()
        known = contracts.contract("transaction")
        parsed = parsing.parse_bodies(known, [Body(data=data)], firm.settings)
        with firm.tx() as tx:
            (answer,) = receipts.append(tx, parsed, 1)
        assert isinstance(answer, Receipt), answer
        assert not answer.problems, answer.problems

    def rows(self) -> list[LogRow]:
        """Everything of its firms that the log holds and this worker has not seen."""
        found = self._log.read(self.pipeline.applied, 10_000)
        return [row for row in found if row.tenant in self.firms]

    def work(self, at_once: int = 1_000) -> None:
        """Decide what is in the log, as the worker does, so many payments in a batch."""
        self.tenants.rules_changed("")
        self.pipeline.window_rows.changed("")
        rows = self.rows()
        for group in _groups(rows, at_once, self.pipeline.starts_anew, lambda _: False):
            self.pipeline.process(group)
        self.pipeline.finish()

    def alerts(self) -> dict[str, Alert]:
        """Alerts by event id."""
        with self.firm.tx(self.writer) as tx:
            found, _ = decisions.list_alerts(tx, AlertFilter(limit=200))
        return {one.event_id: one for one in found}

    def shadowed(self, rule: str, written: RuleText, **found: Any) -> RuleVersion:
        """A rule that was written, priced and is tried in shadow."""
        with self.firm.tx(self.writer) as tx:
            draft = rules.create(tx, rule, written, "why")
            begun = rules.begin_price(tx, draft.id, 1, 30, 100).price
            assert begun is not None
            done = {"state": "done", "events": 1000, "hits": 5} | found
            assert rules.note_price(tx, draft.id, msgspec.structs.replace(begun, **done))
            return rules.to_shadow(tx, draft.id, 1, confirmed=False)

    def live(self, rule: str, written: RuleText) -> RuleVersion:
        """A rule that two people have put in force."""
        version = self.shadowed(rule, written)
        self.approve(self.propose(version))
        with self.firm.tx(self.writer) as tx:
            return rules.get_version(tx, version.id)

    def propose(self, version: RuleVersion) -> Proposal:
        """The writer asks for a rule to decide."""
        with self.firm.tx(self.writer) as tx:
            payload = rules.publication(version)
            return proposals.propose(tx, PROPOSAL_KINDS, rules.PUBLISH, payload, "It stops them.")

    def approve(self, proposal: Proposal, by: Actor | None = None) -> Proposal:
        """Somebody approves."""
        with self.firm.tx(by or self.checker) as tx:
            sha256 = proposal.payload_sha256
            return proposals.decide(tx, PROPOSAL_KINDS, proposal.id, approve=True, sha256=sha256, reason="I read it.")

    def version(self, version: RuleVersion) -> RuleVersion:
        """A version as it is now."""
        with self.firm.tx(self.writer) as tx:
            return rules.get_version(tx, version.id)


__all__ = ["NOON", "SYSTEM", "Brake", "Desk", "Lake", "Price", "acting", "payment", "text"]
