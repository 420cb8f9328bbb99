"""Taking off a list what it blocks: it lets payments through, so one person proposes it and another one approves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from finer.fraud.errors import ListNotAcceptable, ListNotFound
from finer.fraud.service import lists
from finer.fraud.service.rule_sets import begin_change
from finer.fraud.store.lists import ListStore
from finer.fraud.types import FirmList, ListEntry
from finer.identity.types.proposals import Change
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx

UNBLOCK = "lists:unblock"
"""The kind of proposal."""
AT_ONCE_MAX = 100


def removal(tx: Tx, name: str, entries: Sequence[uuid.UUID], *, whole: bool) -> dict[str, Any]:
    """The payload of the proposal to take entries off a list that blocks, or to delete the `whole` list.

    Raises ListNotFound, ListInUse, ListNotAcceptable.
    """
    found = lists.get_list(tx, name)
    if not found.effect.blocks:
        raise ListNotAcceptable(f"{name} does not block by itself: take entries off it, nobody else is asked.")
    chosen = list(dict.fromkeys(entries))
    if whole == bool(chosen) or len(chosen) > AT_ONCE_MAX:
        raise ListNotAcceptable(f"Name 1 to {AT_ONCE_MAX} entries to take off, or say that the whole list is to go.")
    # Values can be those of people: the proposal names the entries, and does not hold them.
    payload: dict[str, Any] = {"list": name, "entries": [show_id("lse", one) for one in chosen], "whole": whole}
    unblock_version(tx, payload)
    return payload


def unblock_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that the removal starts from. Raises ListNotFound, ListInUse."""
    found, entries = _named(tx, payload)
    return f"{found.id}:{found.version}" if payload["whole"] else f"{found.id}:{len(entries)}"


def describe_unblock(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What would be blocked no more, by the ends of its values."""
    found, entries = _named(tx, payload)
    if payload["whole"]:
        return [Change(f"The list {found.name}", f"blocks {found.entries:,} values", "is deleted")]
    return [
        Change(f"Blocked {found.kind.value}", f"\u2026{one.value[-4:]}: {one.reason}", "let through") for one in entries
    ]


def execute_unblock(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Take off what a second person has agreed to."""
    begin_change(tx)
    found, entries = _named(tx, payload)
    if payload["whole"]:
        lists.end(tx, found)
        return {"list": found.name, "deleted": True}
    after = lists.remove(tx, found, [one.id for one in entries])
    return {"list": found.name, "entries": len(entries), "version": after.version}


def _named(tx: Tx, payload: Mapping[str, Any]) -> tuple[FirmList, list[ListEntry]]:
    found = lists.get_list(tx, str(payload["list"]))
    if payload["whole"]:
        lists.check_unused(tx, found)
    known = {one: ListStore(tx).find_entry(found.id, read_id("lse", one)) for one in payload["entries"]}
    if missing := [one for one, entry in known.items() if entry is None]:
        raise ListNotFound(f"The list {found.name} has no entry {missing[0]}: it was taken off before.")
    return found, [one for one in known.values() if one is not None]
