"""The SQL of proposals."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.identity.tables.proposals import approvals, proposals
from finer.identity.types.proposals import Approval, Proposal, ProposalState
from finer.kit.reach import Reach
from finer.kit.reach_sql import condition
from finer.kit.tx import Tx


class ProposalStore:
    """Proposals of one tenant, with what other people said of them."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add(self, proposal: Proposal) -> None:
        """A proposal that waits."""
        fields = {name: getattr(proposal, name) for name in Proposal.__struct_fields__ if name != "approvals"}
        self._connection.execute(proposals.insert().values(tenant_id=self._tenant, **fields))

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> Proposal | None:
        """One proposal; locked, so that two people who decide at once decide one after the other."""
        query = sa.select(proposals).where(proposals.c.tenant_id == self._tenant, proposals.c.id == identifier)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else self._read([row])[0]

    def all(self, reach: Reach, kinds: Sequence[str], state: ProposalState | None, limit: int) -> list[Proposal]:
        """Proposals within reach, whose owner is their maker, and all of some kinds, the newest first."""
        query = sa.select(proposals).where(
            proposals.c.tenant_id == self._tenant,
            sa.or_(condition(reach, owner=proposals.c.maker_id), proposals.c.kind.in_(kinds)),
        )
        if state is not None:
            query = query.where(proposals.c.state == state)
        return self._read(self._connection.execute(query.order_by(proposals.c.id.desc()).limit(limit)).all())

    def waiting(self, kinds: Sequence[str], now: datetime) -> list[Proposal]:
        """Those of some kinds that are not decided and not expired, the newest first."""
        query = sa.select(proposals).where(
            proposals.c.tenant_id == self._tenant,
            proposals.c.kind.in_(kinds),
            proposals.c.state == ProposalState.WAITING,
            proposals.c.expires_at > now,
        )
        return self._read(self._connection.execute(query.order_by(proposals.c.id.desc())).all())

    def overdue(self, now: datetime, limit: int) -> list[uuid.UUID]:
        """Those that nobody decided on in time, the oldest first; those that could not be closed come last."""
        query = sa.select(proposals.c.id).where(
            proposals.c.tenant_id == self._tenant,
            proposals.c.state == ProposalState.WAITING,
            proposals.c.expires_at <= now,
        )
        order = proposals.c.closing_tried_at.nulls_first(), proposals.c.id
        return list(self._connection.scalars(query.order_by(*order).limit(limit)))

    def tried(self, identifiers: Sequence[uuid.UUID], at: datetime) -> None:
        """These could not be closed."""
        mine = (proposals.c.tenant_id == self._tenant) & proposals.c.id.in_(identifiers)
        self._connection.execute(proposals.update().where(mine).values(closing_tried_at=at))

    def executed(self, kind: str, maker: uuid.UUID, since: datetime) -> list[Proposal]:
        """Those of one kind and maker that were executed since a moment, the newest first."""
        query = sa.select(proposals).where(
            proposals.c.tenant_id == self._tenant,
            proposals.c.kind == kind,
            proposals.c.maker_id == maker,
            proposals.c.state == ProposalState.EXECUTED,
            proposals.c.decided_at >= since,
        )
        return self._read(self._connection.execute(query.order_by(proposals.c.id.desc())).all())

    def add_approval(self, proposal: uuid.UUID, approval: Approval) -> None:
        """What somebody said of a proposal."""
        fields = {name: getattr(approval, name) for name in Approval.__struct_fields__}
        self._connection.execute(approvals.insert().values(tenant_id=self._tenant, proposal_id=proposal, **fields))

    def decide(self, identifier: uuid.UUID, state: ProposalState, at: datetime) -> None:
        """The proposal waits no more."""
        mine = (proposals.c.tenant_id == self._tenant) & (proposals.c.id == identifier)
        self._connection.execute(proposals.update().where(mine).values(state=state, decided_at=at))

    def _read(self, rows: Sequence[sa.Row[Any]]) -> list[Proposal]:
        query = (
            sa.select(approvals)
            .where(approvals.c.tenant_id == self._tenant, approvals.c.proposal_id.in_([row.id for row in rows]))
            .order_by(approvals.c.at)
        )
        said: dict[uuid.UUID, list[Approval]] = defaultdict(list)
        for row in self._connection.execute(query) if rows else ():
            said[row.proposal_id].append(
                Approval(
                    checker_id=row.checker_id,
                    approved=row.approved,
                    payload_sha256=bytes(row.payload_sha256),
                    reason=row.reason,
                    at=row.at,
                )
            )
        return [
            Proposal(
                id=row.id,
                kind=row.kind,
                payload=row.payload,
                payload_sha256=bytes(row.payload_sha256),
                base_version=row.base_version,
                reason=row.reason,
                maker_id=row.maker_id,
                made_at=row.made_at,
                expires_at=row.expires_at,
                state=ProposalState(row.state),
                decided_at=row.decided_at,
                approvals=said[row.id],
            )
            for row in rows
        ]
