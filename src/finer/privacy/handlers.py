"""What privacy does when something happened."""

from __future__ import annotations

from finer.facts.privacy import ErasureApproved
from finer.kit.tx import Tx
from finer.privacy.service import erasure
from finer.warehouse.service.lake import LakeAccess


def erase_person(tx: Tx, fact: ErasureApproved, access: LakeAccess) -> None:
    """Two people agreed to erase somebody: do it."""
    erasure.carry_out(tx, fact.request_id, access)
