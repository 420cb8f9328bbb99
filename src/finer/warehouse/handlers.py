"""What the warehouse does when something happened elsewhere."""

from __future__ import annotations

from finer.facts.decisions import AlertResolved
from finer.kit.tx import Tx
from finer.warehouse.service import lake
from finer.warehouse.types import Label


def append_label(tx: Tx, fact: AlertResolved, access: lake.LakeAccess) -> None:
    """A judged alert labels its transaction, for training and for measuring rules."""
    label = Label(
        event_id=fact.event_id,
        occurred_at=fact.occurred_at,
        verdict=fact.verdict,
        known_at=fact.known_at,
        source=fact.source,
    )
    lake.append_label(access, tx.tenant, label)
