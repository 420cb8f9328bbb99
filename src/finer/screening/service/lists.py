"""Lists that a firm screens against: made, loaded by file in versions, deleted."""

from __future__ import annotations

import hashlib
import re
import threading
import uuid
from collections import OrderedDict

from finer.identity.service.audit import record_audit
from finer.kit import runs
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.screening.errors import ScreeningListNotAcceptable, ScreeningListNotFound
from finer.screening.rules import files
from finer.screening.rules.candidates import Candidates
from finer.screening.store.lists import ListStore, version_of
from finer.screening.store.subjects import SubjectStore
from finer.screening.types import ListKind, ListLoad, ScreeningList

__all__ = ["Candidates", "all_lists", "candidates", "create", "delete", "get_list", "load_file", "loads"]

SCREEN_JOB = "screen_customers"
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
LISTS_MAX, LOADS_SHOWN = 20, 20
_DESCRIPTION_MAX, _FILE_NAME_MAX = 500, 200
_REMOVED_SHARE = 0.5
_KEPT_MAX = 4
_kept: OrderedDict[tuple[uuid.UUID, object], Candidates] = OrderedDict()
_lock = threading.Lock()


def all_lists(tx: Tx) -> list[ScreeningList]:
    """Every list of the firm, by name."""
    return ListStore(tx).all()


def get_list(tx: Tx, name: str) -> ScreeningList:
    """A list by its name. Raises ScreeningListNotFound."""
    return _found(ListStore(tx).find(name), name)


def loads(tx: Tx, name: str) -> list[ListLoad]:
    """The files that a list was loaded from, the latest first. Raises ScreeningListNotFound."""
    return ListStore(tx).loads(get_list(tx, name).id, LOADS_SHOWN)


def create(tx: Tx, name: str, kind: ListKind, description: str) -> ScreeningList:
    """A new list without entries. Raises ScreeningListNotAcceptable."""
    store, said = ListStore(tx), " ".join(description.split())
    if not NAME.fullmatch(name):
        raise ScreeningListNotAcceptable("A list is named in 2 to 40 small letters, digits and underscores: un_sc.")
    if len(said) > _DESCRIPTION_MAX:
        raise ScreeningListNotAcceptable(f"A description has at most {_DESCRIPTION_MAX} characters.")
    store.one_at_once()
    known = store.all()
    if any(one.name == name for one in known):
        raise ScreeningListNotAcceptable(f"There is a list {name} already.")
    if len(known) >= LISTS_MAX:
        raise ScreeningListNotAcceptable(f"A firm has at most {LISTS_MAX} lists. Delete one, or load a joined file.")
    new = ScreeningList(
        id=new_id(), name=name, kind=kind, description=said, version=0, screened_version=0, entries=0, sha256="",
        author=tx.actor.id, created_at=tx.now(), loaded_at=None,
    )  # fmt: skip
    store.add(new)
    record_audit(tx, "screening:create_list", f"screening_list:{name}", {"kind": kind.value})
    return new


def delete(tx: Tx, name: str) -> None:
    """A list is screened against no more; what was judged stays. Raises ScreeningListNotFound."""
    store = ListStore(tx)
    found = _found(store.find(name, locked=True), name)
    store.change(found.id, deleted_at=tx.now())
    closed = SubjectStore(tx).close_list(found.id)
    record_audit(
        tx, "screening:delete_list", f"screening_list:{name}", {"entries": found.entries, "hits_closed": closed}
    )


def load_file(tx: Tx, name: str, text: str, file_name: str, *, confirmed: bool) -> ListLoad:
    """A file becomes the next version of a list, whole or not at all; what it does not have goes off the list.

    Everybody is screened against what is new by a job. A file that would take more than half of the entries off is
    taken with `confirmed` only: half a file looks like that. Raises ScreeningListNotFound, ScreeningListNotAcceptable.
    """
    store = ListStore(tx)
    found = _found(store.find(name, locked=True), name)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if sha256 == found.sha256:
        raise ScreeningListNotAcceptable(f"This is the file that {name} holds already, as its version {found.version}.")
    given = {one.id: (one, files.content_hash(one)) for one in files.read_list(text)}
    before = store.hashes(found.id)
    added = [one for one in given if one not in before]
    changed = [one for one, (_, content) in given.items() if one in before and before[one] != content]
    removed = [one for one in before if one not in given]
    if len(removed) > _REMOVED_SHARE * max(1, len(before)) and not confirmed:
        raise ScreeningListNotAcceptable(
            f"The file would take {len(removed):,} of {len(before):,} entries off {name}. Confirm that it is whole."
        )
    version = found.version + 1
    store.put(found.id, version, [given[one] for one in (*added, *changed)])
    store.end(found.id, version, removed)
    load = ListLoad(
        version=version, file_name=file_name.strip()[:_FILE_NAME_MAX], sha256=sha256, entries=len(given),
        added=len(added), changed=len(changed), removed=len(removed), loaded_by=tx.actor.id, loaded_at=tx.now(),
    )  # fmt: skip
    store.add_load(found.id, load)
    store.change(found.id, version=version, entries=len(given), sha256=sha256, loaded_at=tx.now())
    closed = SubjectStore(tx).close_ended(found.id, removed)
    runs.start(tx, SCREEN_JOB)
    detail = {"version": version, "sha256": sha256, "added": len(added), "changed": len(changed)}
    detail |= {"removed": len(removed), "hits_closed": closed}
    record_audit(tx, "screening:load_list", f"screening_list:{name}", detail)
    return load


def candidates(tx: Tx) -> Candidates:
    """Everything on the firm's lists, ready to be compared with; kept in memory for as long as no list changes."""
    store = ListStore(tx)
    key = (tx.tenant, version_of(store.all()))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = Candidates(store.listed())
    with _lock:
        for old in [one for one in _kept if one[0] == tx.tenant]:
            del _kept[old]
        _kept[key] = made
        while len(_kept) > _KEPT_MAX:
            _kept.popitem(last=False)
    return made


def _found(found: ScreeningList | None, name: str) -> ScreeningList:
    if found is None:
        raise ScreeningListNotFound(f"There is no list {name[:80]!r}. GET /api/v1/screening/lists lists them.")
    return found
