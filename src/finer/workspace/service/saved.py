"""Saved queries: kept by their owner, shared within the firm, and run with the rights of whoever runs them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import ACCESS_CHANNEL, reach_of
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.workspace.errors import CannotBeUsed, ChangedMeanwhile, NotYours, SavedQueryNotFound
from finer.workspace.rules import statements
from finer.workspace.rules.parameters import check_definitions
from finer.workspace.store.saved import SavedStore
from finer.workspace.types import Draft, SavedQuery, SavedVersion, Sharing

PREFIX = "sav"
_OWNED_MAX = 1000


def list_saved(tx: Tx) -> list[SavedQuery]:
    """What the caller saved and what is shared with them; favourites first, then by folder and name."""
    return _store(tx).find()


def get_saved(tx: Tx, identifier: uuid.UUID) -> SavedQuery:
    """One saved query that the caller may see. Raises SavedQueryNotFound."""
    found = _store(tx).find(identifier)
    if not found:
        raise SavedQueryNotFound(f"There is no saved query {show_id(PREFIX, identifier)} that you may see.")
    return found[0]


def visible(tx: Tx, identifiers: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these saved queries the caller may see."""
    return _store(tx).visible(identifiers)


def list_versions(tx: Tx, identifier: uuid.UUID) -> list[SavedVersion]:
    """The versions of a saved query, the newest first. Raises SavedQueryNotFound."""
    return _store(tx).versions(get_saved(tx, identifier).id)


def create_saved(tx: Tx, draft: Draft) -> SavedQuery:
    """Keep a query. Raises StatementRefused, CannotBeUsed."""
    checked = _checked(tx, draft)
    store, owner = _store(tx), uuid.UUID(tx.actor.id)
    if store.count_owned(owner) >= _OWNED_MAX:
        raise CannotBeUsed(f"You own {_OWNED_MAX} saved queries already. Delete some first.")
    identifier = new_id()
    store.add(identifier, checked, owner, tx.now())
    record_audit(tx, "sql:save", show_id(PREFIX, identifier), {"version": 1, "sharing": checked.sharing.value})
    return get_saved(tx, identifier)


def change_saved(tx: Tx, identifier: uuid.UUID, version: int, draft: Draft) -> SavedQuery:
    """Write a new version of one's own query, which everybody it is shared with runs from then on, as themselves.

    Raises SavedQueryNotFound, NotYours, ChangedMeanwhile, StatementRefused, CannotBeUsed.
    """
    before = _own(tx, identifier)
    checked = _checked(tx, draft)
    if not _store(tx).change(identifier, version, checked, uuid.UUID(tx.actor.id), tx.now()):
        raise ChangedMeanwhile("It was changed since you opened it. Look at the newest version first.")
    record_audit(
        tx, "sql:save", show_id(PREFIX, identifier), {"version": version + 1, "sharing": checked.sharing.value}
    )
    if (before.sharing, before.team_id) != (checked.sharing, checked.team_id):
        tx.notify(ACCESS_CHANNEL, [str(tx.tenant)])  # whoever looks at its result on a dashboard
    return get_saved(tx, identifier)


def delete_saved(tx: Tx, identifier: uuid.UUID) -> None:
    """Delete one's own query with its versions and schedules. Raises SavedQueryNotFound, NotYours."""
    _own(tx, identifier)
    _store(tx).remove(identifier)
    record_audit(tx, "sql:delete", show_id(PREFIX, identifier))
    tx.notify(ACCESS_CHANNEL, [str(tx.tenant)])


def set_favourite(tx: Tx, identifier: uuid.UUID, favourite: bool) -> SavedQuery:
    """Keep a query at hand, or no more. Raises SavedQueryNotFound."""
    get_saved(tx, identifier)
    store, person = _store(tx), uuid.UUID(tx.actor.id)
    (store.keep if favourite else store.let_go)(identifier, person)
    return get_saved(tx, identifier)


def _store(tx: Tx) -> SavedStore:
    reach_of(tx.actor, Permission.SQL_RUN)
    person = None if tx.actor.kind == "system" else uuid.UUID(tx.actor.id)
    return SavedStore(tx, person, frozenset(tx.actor.teams))


def _own(tx: Tx, identifier: uuid.UUID) -> SavedQuery:
    found = get_saved(tx, identifier)
    if str(found.owner_id) != tx.actor.id:
        raise NotYours("Only its owner changes a saved query. Save a copy of your own instead.")
    return found


def _checked(tx: Tx, draft: Draft) -> Draft:
    name, folder = draft.name.strip(), "/".join(part.strip() for part in draft.folder.split("/") if part.strip())
    if not name:
        raise CannotBeUsed("Give the query a name.")
    if draft.sharing is Sharing.TEAM and draft.team_id not in tx.actor.teams:
        raise CannotBeUsed("Choose one of your own teams to share it with.")
    statements.read_question(statements.bound(draft.statement, statements.named_parameters(draft.statement)))
    check_definitions(draft.statement, draft.parameters)
    return Draft(
        name=name,
        statement=draft.statement,
        description=draft.description.strip(),
        folder=folder,
        tags=tuple(dict.fromkeys(tag.strip().lower() for tag in draft.tags if tag.strip())),
        sharing=draft.sharing,
        team_id=draft.team_id if draft.sharing is Sharing.TEAM else None,
        parameters=draft.parameters,
        chart=draft.chart,
    )
