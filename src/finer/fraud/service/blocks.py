"""Blocks that cases ask for: entries of two lists of the firm, which block from the next payment on."""

from __future__ import annotations

import uuid

from finer.decisions.service import actions
from finer.decisions.types.cases import ActionKind, ActionState, CaseAction
from finer.fraud.errors import ListNotAcceptable
from finer.fraud.service import lists, rule_sets
from finer.fraud.types import FirmList, ListEffect, ListKind, NewEntry
from finer.kit.ids import show_id
from finer.kit.tx import Tx

LISTS = {
    ActionKind.BLOCK_CARD: ("blocked_cards", ListKind.CARD, "Cards that cases have blocked."),
    ActionKind.BLOCK_ACCOUNT: ("blocked_accounts", ListKind.ACCOUNT, "Accounts that cases have blocked."),
}


def block(tx: Tx, identifier: uuid.UUID) -> None:
    """Put what an action names on its list; what cannot be put there is said in the action. Again changes nothing.

    Facts of several acts land in any order: an act that was undone by now blocks nothing.
    """
    action = _locked(tx, identifier)
    if action is None or action.state is not ActionState.ASKED:
        return
    try:
        found = _list(tx, action.kind)
        _hold(tx, found.name, action)
    except ListNotAcceptable as error:
        actions.settle_block(tx, identifier, ActionState.FAILED, error.detail)
        return
    actions.settle_block(tx, identifier, ActionState.DONE, f"On the list {found.name}.")


def unblock(tx: Tx, identifier: uuid.UUID) -> None:
    """Take off the list what an action has put there, unless another case still asks for it.

    An entry that somebody else has put since stays, and one that somebody took off does not come back.
    """
    action = _locked(tx, identifier)
    if action is None:
        return
    name = LISTS[action.kind][0]
    if all(one.name != name for one in lists.all_lists(tx)):
        return
    for entry in lists.entries(tx, name, value=action.target):
        if entry.source == show_id("cac", identifier) and not _hold(tx, name, action):
            lists.remove(tx, lists.get_list(tx, name), [entry.id])


def _locked(tx: Tx, identifier: uuid.UUID) -> CaseAction | None:
    """An action that is a block, as it is once nobody else changes the firm's lists or this action; else None."""
    if actions.get_action(tx, identifier).kind not in LISTS:
        return None
    rule_sets.begin_change(tx)
    return actions.get_action(tx, identifier, lock=True)


def _hold(tx: Tx, name: str, action: CaseAction) -> bool:
    """Let the entry of what an action names be that of the newest act that asks for it; False when none does."""
    standing = actions.standing(tx, action.kind, action.target)
    if standing is None:
        return False
    newest, case = standing
    source = show_id("cac", newest.id)
    if all(one.source != source for one in lists.entries(tx, name, value=action.target)):
        reason = f"Blocked in case #{case.number}."
        lists.put(tx, name, [NewEntry(value=action.target, reason=reason, source=source)])
    return True


def _list(tx: Tx, kind: ActionKind) -> FirmList:
    name, of, description = LISTS[kind]
    found = next((one for one in lists.all_lists(tx) if one.name == name), None)
    if found is None:
        return lists.create(tx, name, of, ListEffect.BLOCK, description)
    if found.kind is not of or not found.effect.blocks:
        raise ListNotAcceptable(f"The list {name} of this firm does not block by {of.value}. Rename or delete it.")
    return found
