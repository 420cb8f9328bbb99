"""What the warehouse does when something happened elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from finer.facts.decisions import AlertResolved
from finer.fraud.service import label_rows
from finer.kit.tx import Tx
from finer.warehouse.service import lake
from finer.warehouse.types import Label


def append_label(tx: Tx, facts: Sequence[AlertResolved], access: lake.LakeAccess) -> None:
    """Judged alerts label their transactions, for training and measuring rules, and become rows for the windows.

    Raises LakeUnavailable, as NotInLakeYet while the lake does not hold one of the payments; doing it again is right.
    """
    tx.outlast()
    label_rows.one_at_once(tx)
    labels = [
        Label(
            event_id=fact.event_id,
            occurred_at=fact.occurred_at,
            verdict=fact.verdict,
            known_at=fact.known_at,
            source=fact.source,
        )
        for fact in facts
    ]
    label_rows.add(tx, lake.label(tx, access, label_rows.labels_query(), labels))
