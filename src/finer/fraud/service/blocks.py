"""Blocks that cases ask for: entries of two lists of the firm, which block from the next payment on."""

from __future__ import annotations

import uuid

from finer.decisions.service import actions
from finer.decisions.types.cases import ActionKind, ActionState
from finer.fraud.errors import ListNotAcceptable
from finer.fraud.service import lists
from finer.fraud.types import FirmList, ListEffect, ListKind, NewEntry
from finer.kit.ids import show_id
from finer.kit.tx import Tx

LISTS = {
    ActionKind.BLOCK_CARD: ("blocked_cards", ListKind.CARD, "Cards that cases have blocked."),
    ActionKind.BLOCK_ACCOUNT: ("blocked_accounts", ListKind.ACCOUNT, "Accounts that cases have blocked."),
}


def block(tx: Tx, identifier: uuid.UUID) -> None:
    """Put what an action names on its list; what cannot be put there is said in the action. Again changes nothing."""
    action, case = actions.get_action(tx, identifier)
    if action.kind not in LISTS or action.state is not ActionState.ASKED:
        return
    try:
        found = _list(tx, action.kind)
        reason = f"Blocked in case #{case.number}."
        lists.put(tx, found.name, [NewEntry(value=action.target, reason=reason, source=show_id("cac", identifier))])
    except ListNotAcceptable as error:
        actions.settle_block(tx, identifier, ActionState.FAILED, error.detail)
        return
    actions.settle_block(tx, identifier, ActionState.DONE, f"On the list {found.name}.")


def unblock(tx: Tx, identifier: uuid.UUID) -> None:
    """Take off the list what an action has put there; an entry that somebody else has put since stays."""
    action, _ = actions.get_action(tx, identifier)
    if action.kind not in LISTS:
        return
    name = LISTS[action.kind][0]
    if all(one.name != name for one in lists.all_lists(tx)):
        return
    for entry in lists.entries(tx, name, value=action.target):
        if entry.source == show_id("cac", identifier):
            lists.take_off(tx, name, entry.id)


def _list(tx: Tx, kind: ActionKind) -> FirmList:
    name, of, description = LISTS[kind]
    found = next((one for one in lists.all_lists(tx) if one.name == name), None)
    if found is None:
        return lists.create(tx, name, of, ListEffect.BLOCK, description)
    if found.kind is not of or found.effect not in {ListEffect.BLOCK, ListEffect.FINAL_BLOCK}:
        raise ListNotAcceptable(f"The list {name} of this firm does not block by {of.value}. Rename or delete it.")
    return found
