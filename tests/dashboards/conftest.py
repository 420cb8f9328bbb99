"""A firm with a lake and people who ask it, and dashboards on it."""

from __future__ import annotations

import uuid
from typing import Any

from finer.dashboards.service import dashboards, viewing
from finer.dashboards.types import Dashboard, Draft, Filters, MetricPart, QueryPart, Tile, TileData, TileKind
from finer.identity.types.access import Role
from finer.kit.ids import show_id
from finer.workspace.service import saved
from finer.workspace.types import Draft as SavedDraft
from finer.workspace.types import SavedQuery, Sharing
from tests.workspace.conftest import Desk, desk, make_desk

__all__ = ["Desk", "desk", "look", "make_board", "make_desk", "query_tile", "save"]


def tile(identifier: str = "a", **changes: Any) -> Tile:
    """A tile of a metric, as wide as a quarter of the page."""
    place = {"x": 0, "y": 0, "w": 3, "h": 2}
    source = {} if "query" in changes else {"metric": MetricPart(name="orders_placed")}
    return Tile(**{"id": identifier, "title": f"Tile {identifier}", "kind": TileKind.TABLE} | place | source | changes)


def save(desk: Desk, statement: str, sharing: Sharing = Sharing.TENANT, **more: Any) -> SavedQuery:
    """A saved query of the data engineer."""
    with desk.tx() as tx:
        draft = SavedDraft(name=f"Query {uuid.uuid4().hex[:6]}", statement=statement, sharing=sharing, **more)
        return saved.create_saved(tx, draft)


def query_tile(found: SavedQuery, identifier: str = "q", **changes: Any) -> Tile:
    """A tile of a saved query, below the others."""
    part = QueryPart(saved=show_id(saved.PREFIX, found.id), **changes.pop("part", {}))
    return tile(identifier, query=part, **{"y": 10, "w": 6, "h": 4} | changes)


def make_board(
    desk: Desk, *tiles: Tile, sharing: Sharing = Sharing.TENANT, role: Role = Role.DATA_ENGINEER
) -> Dashboard:
    """A dashboard of somebody of that role."""
    with desk.tx(role) as tx:
        return dashboards.create_dashboard(tx, Draft(name="Board", sharing=sharing, tiles=tiles))


def look(desk: Desk, board: Dashboard, role: Role = Role.DATA_ENGINEER, **filters: str) -> dict[str, TileData]:
    """What somebody of that role sees."""
    with desk.tx(role) as tx:
        sight = viewing.sight_of(tx, board.id, Filters(values=tuple(sorted(filters.items()))))
        return viewing.look(tx, sight, 10_000)
