"""Dashboards: kept by their owner, shared within the firm, seen with the rights of whoever looks."""

from __future__ import annotations

import uuid

import msgspec

from finer.dashboards.errors import CannotBeUsed, ChangedMeanwhile, DashboardNotFound, NotYours, TileNotFound
from finer.dashboards.rules.layout import check_tiles
from finer.dashboards.store.dashboards import DashboardStore
from finer.dashboards.types import Dashboard, Draft, Tile
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import ACCESS_CHANNEL, reach_of
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.operations.service import metrics
from finer.operations.service.rollups import CHANNEL
from finer.workspace.types import Sharing

PREFIX = "dsh"
_OWNED_MAX = 200


def list_dashboards(tx: Tx) -> list[Dashboard]:
    """What the caller made and what is shared with them, by name."""
    return _store(tx).find()


def get_dashboard(tx: Tx, identifier: uuid.UUID) -> Dashboard:
    """One dashboard that the caller may see. Raises DashboardNotFound."""
    found = _store(tx).find(identifier)
    if not found:
        raise DashboardNotFound(f"There is no dashboard {show_id(PREFIX, identifier)} that you may see.")
    return found[0]


def get_tile(dashboard: Dashboard, tile: str) -> Tile:
    """One tile of a dashboard. Raises TileNotFound."""
    found = next((one for one in dashboard.tiles if one.id == tile), None)
    if found is None:
        raise TileNotFound(f"The dashboard {dashboard.name!r} has no tile {tile[:20]!r}. Load it again.")
    return found


def create_dashboard(tx: Tx, draft: Draft) -> Dashboard:
    """Keep a dashboard. Raises CannotBeUsed, UnknownMetric."""
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    checked, store, owner = _checked(tx, draft), _store(tx), uuid.UUID(tx.actor.id)
    if store.count_owned(owner) >= _OWNED_MAX:
        raise CannotBeUsed(f"You own {_OWNED_MAX} dashboards already. Delete some first.")
    identifier = new_id()
    store.add(identifier, checked, owner, tx.now())
    _note(tx, "dashboards:save", identifier, checked)
    return get_dashboard(tx, identifier)


def change_dashboard(tx: Tx, identifier: uuid.UUID, version: int, draft: Draft) -> Dashboard:
    """Write one's own dashboard anew. Whoever looks at it sees the change within seconds.

    Raises DashboardNotFound, NotYours, ChangedMeanwhile, CannotBeUsed, UnknownMetric.
    """
    before = _own(tx, identifier)
    checked = _checked(tx, draft)
    if not _store(tx).change(identifier, version, checked, tx.now()):
        raise ChangedMeanwhile("It was changed since you opened it. Load it again, then make your change once more.")
    _note(tx, "dashboards:save", identifier, checked)
    if (before.sharing, before.team_id) != (checked.sharing, checked.team_id):
        tx.notify(ACCESS_CHANNEL, [str(tx.tenant)])
    return get_dashboard(tx, identifier)


def delete_dashboard(tx: Tx, identifier: uuid.UUID) -> None:
    """Delete one's own dashboard with its notes and digests. Raises DashboardNotFound, NotYours."""
    _own(tx, identifier)
    _store(tx).remove(identifier)
    record_audit(tx, "dashboards:delete", show_id(PREFIX, identifier))
    tx.notify(ACCESS_CHANNEL, [str(tx.tenant)])


def _store(tx: Tx) -> DashboardStore:
    reach_of(tx.actor, Permission.DASHBOARDS_READ)
    person = None if tx.actor.kind == "system" else uuid.UUID(tx.actor.id)
    return DashboardStore(tx, person, frozenset(tx.actor.teams))


def _own(tx: Tx, identifier: uuid.UUID) -> Dashboard:
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    found = get_dashboard(tx, identifier)
    if str(found.owner_id) != tx.actor.id:
        raise NotYours("Only its owner changes a dashboard. Save a copy of your own instead.")
    return found


def _note(tx: Tx, act: str, identifier: uuid.UUID, draft: Draft) -> None:
    subject = {"sharing": draft.sharing.value, "tiles": len(draft.tiles)}
    record_audit(tx, act, show_id(PREFIX, identifier), subject)
    tx.notify(CHANNEL, [str(tx.tenant)])


def _checked(tx: Tx, draft: Draft) -> Draft:
    name = draft.name.strip()
    if not name:
        raise CannotBeUsed("Give the dashboard a name.")
    if draft.sharing is Sharing.TEAM and draft.team_id not in tx.actor.teams:
        raise CannotBeUsed("Choose one of your own teams to share it with.")
    check_tiles(draft.tiles)
    for tile in draft.tiles:
        if tile.metric is not None:
            metrics.get_metric(tile.metric.name)
    return msgspec.structs.replace(
        draft,
        name=name,
        description=draft.description.strip(),
        team_id=draft.team_id if draft.sharing is Sharing.TEAM else None,
    )
