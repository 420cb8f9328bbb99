"""What a digest says: the numbers of a dashboard as an e-mail, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from finer.dashboards.rules.telling import FACTOR_FROM
from finer.dashboards.types import Tile, TileData, TileKind, TileState
from finer.notifications.types import Message

_LOOK = "Open the dashboard to see it."


def line_of(tile: Tile, data: TileData | None) -> tuple[str, str]:
    """A tile as a title and what is said of it. Rows of queries stay where they are guarded; one number may leave."""
    if data is None or data.state is TileState.REFUSED:
        return tile.title, "You may not see this tile."
    if data.state is not TileState.SHOWN:
        return tile.title, data.problem or _LOOK
    if tile.metric is not None:
        if data.value is None:
            return tile.title, "Nothing is known of it in this time."
        amount = Decimal(data.value).scaleb(-data.exponent)
        said = f"{amount:,.{data.exponent}f} {data.currency}".strip()
        return tile.title, said if data.change is None else f"{said} ({_change(data.change)} against the time before)"
    number = _number(tile, data) if tile.kind is TileKind.NUMBER else None
    if number is not None:
        return tile.title, f"{number:,}"
    return tile.title, f"{data.total:,} rows. {_LOOK}"


def _change(change: float) -> str:
    return f"{change:+.1%}" if change < FACTOR_FROM - 1 else f"\u00d7 {1 + change:,.0f}"


def _number(tile: Tile, data: TileData) -> Any:
    wanted = tile.query.y[0] if tile.query is not None and tile.query.y else ""
    for place, column in enumerate(data.columns):
        if column.type == "number" and wanted in ("", column.name) and data.rows:
            value = data.rows[0][place]
            return value if isinstance(value, int | float) else None
    return None


def behind_of(shown: Iterable[TileData]) -> datetime | None:
    """When the oldest records came that a dashboard's numbers do not hold yet; None while they keep up."""
    return min((one.behind_since for one in shown if one.behind_since is not None), default=None)


def message_of(
    name: str, link: str, lines: Sequence[tuple[str, str]], at: datetime, behind: datetime | None = None
) -> Message:
    """The e-mail. `at` is in the reader's time zone."""
    moment = f"as of {at:%A, %d %B %Y, %H:%M} ({at.tzinfo})"
    if behind is not None:
        moment += f"; records that came since {behind.astimezone(at.tzinfo):%H:%M} are not all in the numbers yet"
    text = [name, moment, "", *(f"{title}: {said}" for title, said in lines), "", link, "", _WHY]
    rows = "".join(
        f'<tr><td style="padding:4px 16px 4px 0">{escape(title)}</td><td><b>{escape(said)}</b></td></tr>'
        for title, said in lines
    )
    html = (
        f"<h2>{escape(name)}</h2><p>{escape(moment)}</p><table>{rows}</table>"
        f'<p><a href="{escape(link, quote=True)}">Open the dashboard</a></p><p><small>{_WHY}</small></p>'
    )
    return Message(subject=f"{name}, {at:%d %B}", text="\n".join(text), html=html)


_WHY = "You asked for this e-mail on the dashboard, under Digest, and can end it there."
