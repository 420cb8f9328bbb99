"""The SQL of what people let out alone: payments that were released, or not held after all, and undone blocks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from finer.decisions.tables.cases import case_actions, cases
from finer.decisions.types.cases import ActionKind, ActionState
from finer.decisions.types.letting_out import LetOut
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx

_a, _c = case_actions.c, cases.c
_BLOCKS = (ActionKind.BLOCK_CARD.value, ActionKind.BLOCK_ACCOUNT.value)


class LettingOutStore:
    """What was let out in one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def one_at_once(self) -> None:
        """Wait until nobody else of the firm lets money out, and let others wait until this transaction ends."""
        one_at_once(self._connection, "letting-out", self._tenant)

    def alone_since(
        self, since: datetime, person: uuid.UUID | None, customer: str | None, accounts: Sequence[str]
    ) -> list[LetOut]:
        """What a person let out without a second one since then, and what anybody did to a customer or an account."""
        released = sa.and_(
            _a.alone, _a.asked_at > since, _a.kind == ActionKind.RELEASE_PAYMENT,
            # A system of the firm may have fetched a release, and paid, before it was undone.
            _a.state.in_((ActionState.ASKED, ActionState.DONE, ActionState.UNDONE)),
        )  # fmt: skip
        undone = sa.and_(_a.undone_alone, _a.settled_at > since)
        by = sa.case((_a.undone_alone, _a.undone_by_id), else_=_a.asked_by_id)
        # A block names its account also where it was asked for before actions kept theirs; a card is named by its
        # account and its last digits.
        blocked = sa.and_(_a.kind.in_(_BLOCKS), sa.func.split_part(_a.target, "|", 1).in_(accounts))
        alike = [_c.account_id.in_(accounts), _a.account_id.in_(accounts), blocked]
        if customer is not None:  # cases that know of no customer are not of one customer
            alike.append(_c.customer_id == customer)
        same = sa.func.coalesce(sa.or_(*alike), sa.false())
        usd = sa.case((_a.undone_alone, _a.undone_usd_minor), else_=_a.amount_usd_minor)
        query = (
            sa.select(_a.case_id, _a.kind, _a.target, usd.label("usd"), by.label("by"), same.label("same"))
            .join_from(case_actions, cases, sa.and_(_c.tenant_id == _a.tenant_id, _c.id == _a.case_id))
            .where(_a.tenant_id == self._tenant, sa.or_(released, undone), sa.or_(by == person, same))
        )
        return [
            LetOut(
                case_id=row.case_id, target=row.target, whole=row.kind in _BLOCKS, usd_minor=row.usd, by=row.by,
                same_customer=row.same,
            )
            for row in self._connection.execute(query)
        ]  # fmt: skip

    def undone_alone(self, action: uuid.UUID, person: uuid.UUID | None, usd_minor: int) -> None:
        """Somebody undid an action without a second person, and let that much out by it."""
        self._connection.execute(
            case_actions.update()
            .where(_a.tenant_id == self._tenant, _a.id == action)
            .values(undone_alone=True, undone_by_id=person, undone_usd_minor=usd_minor)
        )
