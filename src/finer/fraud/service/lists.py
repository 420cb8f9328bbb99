"""Lists of a firm: what is blocked, allowed, or asked by rules; every change is a version that decides from then on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finer.fraud.errors import ListInUse, ListNotAcceptable, ListNotFound
from finer.fraud.rules import lists as shapes
from finer.fraud.rules.lists import ENTRIES_MAX, NAME
from finer.fraud.rules.rule_set import LISTS_MAX
from finer.fraud.service.rule_sets import begin_change, renew
from finer.fraud.store.lists import ListStore
from finer.fraud.store.rules import RuleStore
from finer.fraud.types import FirmList, ListEffect, ListEntry, ListKind, NewEntry, RuleState
from finer.identity.service import exports
from finer.identity.service.audit import record_audit
from finer.identity.service.proposals import Kinds
from finer.identity.types.proposals import Change, Proposal
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ALLOW = "lists:allow"
EXPORT = "lists:export"
"""The kind of proposal of a long list in a file; what the trail calls it too."""
AT_ONCE_MAX = 1_000
PROPOSED_MAX = 100
_DESCRIPTION_MAX = 500


def all_lists(tx: Tx) -> list[FirmList]:
    """Every list of the firm, by name."""
    return ListStore(tx).all()


def get_list(tx: Tx, name: str) -> FirmList:
    """A list by its name. Raises ListNotFound."""
    found = ListStore(tx).find(name)
    if found is None:
        raise ListNotFound(f"There is no list {name[:80]!r}. GET /api/v1/lists lists them.")
    return found


def used_by(tx: Tx, name: str) -> list[str]:
    """The rules whose condition asks a list, in whatever state but retired."""
    asked = f"'{name}'"
    states = [RuleState.DRAFT, RuleState.SHADOW, RuleState.LIVE]
    return sorted({one.rule for one in RuleStore(tx).versions(states=states) if asked in one.text.condition})


def create(tx: Tx, name: str, kind: ListKind, effect: ListEffect, description: str) -> FirmList:
    """A new list without entries. Raises ListNotAcceptable."""
    begin_change(tx)
    store = ListStore(tx)
    said = " ".join(description.split())
    if not NAME.fullmatch(name):
        raise ListNotAcceptable("A list is named in 2 to 40 small letters, digits and underscores: risky_merchants.")
    if len(said) > _DESCRIPTION_MAX:
        raise ListNotAcceptable(f"A description has at most {_DESCRIPTION_MAX} characters.")
    known = store.all()
    if any(one.name == name for one in known):
        raise ListNotAcceptable(f"There is a list {name} already.")
    if len(known) >= LISTS_MAX:
        raise ListNotAcceptable(f"A firm has at most {LISTS_MAX} lists.")
    new = FirmList(
        id=new_id(), name=name, kind=kind, effect=effect, description=said, version=1, entries=0, author=tx.actor.id,
        created_at=tx.now(), updated_at=tx.now(),
    )  # fmt: skip
    store.add(new)
    renew(tx)
    record_audit(tx, "lists:create", f"list:{name}", {"kind": kind.value, "effect": effect.value})
    return new


def delete(tx: Tx, name: str) -> None:
    """A list is gone; decisions that were made with it can still be repeated.

    Raises ListInUse, ListNotFound, and ListNotAcceptable for one that blocks something: that takes two people.
    """
    begin_change(tx)
    found = get_list(tx, name)
    if found.effect.blocks and found.entries:
        raise ListNotAcceptable(
            f"The list {name} blocks {found.entries:,} values, so deleting it takes two people: propose it."
        )
    end(tx, found)


def end(tx: Tx, found: FirmList) -> None:
    """A list is gone, for whoever may decide that: `begin_change` was called. Raises ListInUse."""
    check_unused(tx, found)
    ListStore(tx).change(found.id, deleted_at=tx.now())
    renew(tx)
    record_audit(tx, "lists:delete", f"list:{found.name}", {"entries": found.entries})


def check_unused(tx: Tx, found: FirmList) -> None:
    """Raises ListInUse for a list that a rule asks."""
    if rules := used_by(tx, found.name):
        raise ListInUse(f"The list {found.name} is asked by {', '.join(rules)}. Change these rules first.", rules=rules)


def entries(
    tx: Tx, name: str, *, value: str | None = None, limit: int = 100, before: uuid.UUID | None = None
) -> list[ListEntry]:
    """Entries that are on a list, the newest first; `value` asks for exactly one. Raises ListNotFound."""
    return ListStore(tx).entries(get_list(tx, name).id, value=value, limit=limit, before=before)


def take_entries(
    tx: Tx, settings: Settings, kinds: Kinds, name: str, reason: str
) -> Proposal | Iterator[list[ListEntry]]:
    """What is on a list, the newest first, to be handed out as a file; or what waits for somebody else.

    Raises ListNotFound, TooManyRows, and NotAcceptable for a long list without a reason.
    """
    found = get_list(tx, name)
    asked = {"list": found.name}
    waits = exports.take(
        tx, settings, kinds, EXPORT, f"list:{found.name}", asked, rows=found.entries, reason=reason
    )  # fmt: skip
    return _pages(tx, found) if waits is None else waits


def _pages(tx: Tx, found: FirmList) -> Iterator[list[ListEntry]]:
    """As many entries as the list had when it was let go."""
    left, before = found.entries, None
    while left > 0:
        page = entries(tx, found.name, limit=min(left, AT_ONCE_MAX), before=before)
        if not page:
            return
        left, before = left - len(page), page[-1].id
        yield page


def put(tx: Tx, name: str, new: Sequence[NewEntry]) -> FirmList:
    """Put entries on a list, each in the place of one with the same value.

    Raises ListNotFound, ListNotAcceptable, also for a list that allows: what it allows takes two people, and so does
    what a list that blocks would block for a shorter time.
    """
    found = get_list(tx, name)
    if found.effect is ListEffect.ALLOW:
        raise ListNotAcceptable(f"What is on {name} overrides every rule, so an entry takes two people: propose it.")
    if not 1 <= len(new) <= AT_ONCE_MAX:
        raise ListNotAcceptable(f"1 to {AT_ONCE_MAX:,} entries at a time; a file can hold more.")
    return _put(tx, found, [shapes.check_entry(found.kind, one, tx.now()) for one in new], replace=False)


def load_file(tx: Tx, name: str, text: str, *, reason: str, source: str, replace: bool) -> FirmList:
    """Put the entries of a CSV text on a list, all or none; `replace` takes off what the file does not have.

    Raises ListNotFound, and ListNotAcceptable with the line of a mistake, or when a list that blocks would block less.
    """
    found = get_list(tx, name)
    if found.effect is ListEffect.ALLOW:
        raise ListNotAcceptable(f"What is on {name} overrides every rule, so an entry takes two people: propose it.")
    new = shapes.read_csv(found.kind, text, tx.now(), reason=reason, source=source)
    if not new:
        raise ListNotAcceptable("The file has no entries.")
    return _put(tx, found, new, replace=replace)


def take_off(tx: Tx, name: str, entry: uuid.UUID) -> FirmList:
    """Take an entry off a list. Raises ListNotFound, and ListNotAcceptable where it blocks: that takes two people."""
    begin_change(tx)
    found = get_list(tx, name)
    if found.effect.blocks:
        raise ListNotAcceptable(f"What is on {name} is blocked, so taking it off takes two people: propose it.")
    return remove(tx, found, [entry])


def remove(tx: Tx, found: FirmList, gone: Sequence[uuid.UUID]) -> FirmList:
    """Take entries off a list, for whoever may decide that: `begin_change` was called. Raises ListNotFound."""
    store, version = ListStore(tx), found.version + 1
    for one in gone:
        entry = store.find_entry(found.id, one)
        if entry is None:
            raise ListNotFound(f"The list {found.name} has no entry {show_id('lse', one)}.")
        store.end_entry(found.id, version, one, tx.actor.id, tx.now())
        detail = {"entry": show_id("lse", one), "added_by": entry.added_by}
        record_audit(tx, "lists:take_off", f"list:{found.name}", detail)
    _changed(tx, found, version, found.entries - len(gone))
    return get_list(tx, found.name)


def take_off_expired(tx: Tx) -> int:
    """Take off the firm's lists what has had its time; returns how many entries."""
    store = ListStore(tx)
    due = store.expired(tx.now())
    if not due:
        return 0
    begin_change(tx)
    for found in store.all():
        if found.id in due:
            gone = store.end_expired(found.id, found.version + 1, tx.now())
            store.change(found.id, version=found.version + 1, entries=found.entries - gone, updated_at=tx.now())
            record_audit(tx, "lists:expire", f"list:{found.name}", {"entries": gone})
    renew(tx)
    return sum(due.values())


def allowance(tx: Tx, name: str, new: Sequence[NewEntry]) -> dict[str, Any]:
    """Keep entries that wait for a second person; the payload of the proposal to put them on a list that allows.

    Raises ListNotFound, ListNotAcceptable.
    """
    found = get_list(tx, name)
    if found.effect is not ListEffect.ALLOW:
        raise ListNotAcceptable(f"Entries of {name} are put on it at once: only what allows takes two people.")
    if not 1 <= len(new) <= PROPOSED_MAX:
        raise ListNotAcceptable(f"1 to {PROPOSED_MAX} entries are proposed at a time.")
    checked = [shapes.check_entry(found.kind, one, tx.now()) for one in new]
    if len({one.value for one in checked}) < len(checked):
        raise ListNotAcceptable("The same value comes twice.")
    waiting = ListStore(tx).propose(found.id, checked, tx.actor.id, tx.now())
    # Values can be those of people: the proposal names the entries, and does not hold them.
    return {"list": name, "entries": [show_id("lse", one) for one in waiting]}


def allow_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that an allowance starts from. Raises ListNotFound, ListNotAcceptable for what cannot be any more."""
    found, waiting = _waiting(tx, payload)
    return f"{found.id}:{len(waiting)}"


def describe_allow(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What would be allowed, by the ends of its values."""
    found, waiting = _waiting(tx, payload)
    return [
        Change(
            f"Allowed {found.kind.value}",
            "",
            f"\u2026{one.value[-4:]} "
            + ("for good" if one.expires_at is None else f"until {one.expires_at:%Y-%m-%d %H:%M} UTC")
            + f": {one.reason}",
        )
        for one in waiting
    ]


def execute_allow(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Put proposed entries on a list that allows."""
    begin_change(tx)
    found, waiting = _waiting(tx, payload)
    version = found.version + 1
    total = found.entries + ListStore(tx).admit(found.id, version, waiting, tx.actor.id, tx.now())
    _changed(tx, found, version, total)
    return {"list": found.name, "entries": len(waiting), "version": version}


def drop_allow(tx: Tx, payload: Mapping[str, Any]) -> None:
    """Entries that were rejected or withdrawn are gone."""
    found = ListStore(tx).find(str(payload["list"]))
    if found is not None:
        ListStore(tx).drop_waiting(found.id, [read_id("lse", one) for one in payload["entries"]])


def _waiting(tx: Tx, payload: Mapping[str, Any]) -> tuple[FirmList, list[ListEntry]]:
    found = get_list(tx, str(payload["list"]))
    waiting = ListStore(tx).waiting(found.id, [read_id("lse", one) for one in payload["entries"]])
    if len(waiting) < len(payload["entries"]):
        raise ListNotAcceptable("Entries of this proposal do not wait any more. Propose them again.")
    for one in waiting:
        new = NewEntry(value=one.value, reason=one.reason, source=one.source, expires_at=one.expires_at)
        shapes.check_entry(found.kind, new, tx.now())
    return found, waiting


def _put(tx: Tx, found: FirmList, new: Sequence[NewEntry], *, replace: bool) -> FirmList:
    begin_change(tx)
    store, found = ListStore(tx), get_list(tx, found.name)
    if found.effect.blocks:
        _check_blocks_on(store, found, new, replace=replace)
    version = found.version + 1
    kept = found.entries - (store.end_all(found.id, version, tx.actor.id, tx.now()) if replace else 0)
    total = kept + store.put(found.id, version, new, tx.actor.id, tx.now())
    _changed(tx, found, version, total)
    record_audit(tx, "lists:put", f"list:{found.name}", {"entries": len(new), "replace": replace, "version": version})
    return get_list(tx, found.name)


def _check_blocks_on(store: ListStore, found: FirmList, new: Sequence[NewEntry], *, replace: bool) -> None:
    """What is blocked stays blocked as long as it was: less takes two people. Raises ListNotAcceptable."""
    ends = {one.value: one.expires_at for one in new}
    there = store.ends(found.id, None if replace else list(ends))
    if left := [one for one in there if one not in ends]:
        raise ListNotAcceptable(
            f"The list {found.name} blocks {len(left):,} values that the file does not have. Taking them off takes two "
            "people: add the file without replacing, and propose to take these off."
        )
    for value, until in there.items():
        to = ends[value]
        if to is not None and (until is None or to < until):
            raise ListNotAcceptable(
                f"\u2026{value[-4:]} is blocked for longer than that. A shorter time takes two people: propose to take "
                "it off, or leave the end as it is."
            )


def _changed(tx: Tx, found: FirmList, version: int, total: int) -> None:
    if total > ENTRIES_MAX:
        raise ListNotAcceptable(f"The list would have {total:,} entries; {ENTRIES_MAX:,} is the limit.")
    ListStore(tx).change(found.id, version=version, entries=total, updated_at=tx.now())
    renew(tx)
