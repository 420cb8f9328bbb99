"""Whether tiles fit on the grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from finer.dashboards.errors import CannotBeUsed
from finer.dashboards.types import COLUMNS, TILES_MAX, Tile


def check_tiles(tiles: Sequence[Tile]) -> None:
    """Raise CannotBeUsed unless every tile has an id of its own, one source, and a place of its own on the grid."""
    if len(tiles) > TILES_MAX:
        raise CannotBeUsed(f"A dashboard has at most {TILES_MAX} tiles. Make a second one.")
    if len({tile.id for tile in tiles}) < len(tiles):
        raise CannotBeUsed("Two tiles have the same id. Give each its own.")
    for tile in tiles:
        if (tile.metric is None) == (tile.query is None):
            raise CannotBeUsed(f"The tile {tile.title!r} needs a metric or a saved query: one of the two.")
        if tile.x + tile.w > COLUMNS:
            raise CannotBeUsed(f"The tile {tile.title!r} stands out of the grid of {COLUMNS} columns.")
        if not all(math.isfinite(one.value) for one in tile.thresholds):
            raise CannotBeUsed(f"A threshold of the tile {tile.title!r} is no number.")
    for one, other in combinations(tiles, 2):
        if _overlap(one, other):
            raise CannotBeUsed(f"The tiles {one.title!r} and {other.title!r} lie over each other. Move one of them.")


def _overlap(one: Tile, other: Tile) -> bool:
    beside = one.x + one.w <= other.x or other.x + other.w <= one.x
    return not beside and one.y < other.y + other.h and other.y < one.y + one.h
