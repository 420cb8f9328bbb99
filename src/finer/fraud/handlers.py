"""What fraud does when a case asks for a block, or takes one back."""

from __future__ import annotations

from finer.decisions.types.cases import ActionKind
from finer.facts.decisions import CaseActionAsked, CaseActionUndone
from finer.fraud.service import blocks
from finer.kit.ids import read_id
from finer.kit.tx import Tx

_BLOCKS = {kind.value for kind in (ActionKind.BLOCK_CARD, ActionKind.BLOCK_ACCOUNT)}


def block(tx: Tx, fact: CaseActionAsked, _access: object) -> None:
    """A case asked for something: what is a block is one from the next payment on."""
    if fact.kind in _BLOCKS:
        blocks.block(tx, read_id("cac", fact.action_id))


def unblock(tx: Tx, fact: CaseActionUndone, _access: object) -> None:
    """A block was taken back."""
    blocks.unblock(tx, read_id("cac", fact.action_id))
