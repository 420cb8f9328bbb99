"""What leaves a dashboard as a file: through the door of all exports (decision record 0036)."""

from __future__ import annotations

import uuid
from decimal import Decimal

from finer.dashboards.service.dashboards import PREFIX
from finer.dashboards.service.viewing import look, open_query, result_of, sight_of
from finer.dashboards.types import Filters, Tile
from finer.identity.service import exports
from finer.identity.service.audit import note_rows, record_audit
from finer.identity.service.proposals import Kinds
from finer.identity.types.proposals import Proposal
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.workspace.service import runs


def export_tile(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, tile: str, filters: Filters, reason: str
) -> bytes | Proposal:
    """What is behind a tile as a CSV file: a whole result, or the numbers of a metric; or what waits for somebody else.

    Raises DashboardNotFound, TileNotFound, TileRefused, NoResult, ResultGone, and NotAcceptable for much without a
    reason.
    """
    _, one, answer = open_query(tx, identifier, tile)
    if answer is not None:
        return runs.export_of(tx, settings, kinds, result_of(answer), "csv", reason)
    return _export_metric(tx, settings, kinds, identifier, one, filters, reason)


def _export_metric(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, tile: Tile, filters: Filters, reason: str
) -> bytes | Proposal:
    assert tile.metric is not None  # noqa: S101 - a tile without a query has one
    data = look(tx, sight_of(tx, identifier, filters), None)[tile.id]
    asked = {
        "metric": tile.metric.name, "by": tile.metric.by, "span": filters.span or tile.metric.span,
        "filters": ", ".join(f"{name}: {value}" for name, value in filters.values),
    }  # fmt: skip
    waits = exports.may_export(tx, settings, kinds, runs.EXPORT, asked, rows=len(data.rows), reason=reason)
    if waits is not None:
        return waits
    record_audit(
        tx, "dashboards:export", f"{show_id(PREFIX, identifier)}/{tile.id}", {"format": "csv", "rows": len(data.rows)}
    )
    note_rows(len(data.rows))
    unit = data.currency or "records"
    rows = [[label, Decimal(value).scaleb(-data.exponent)] for label, value in data.rows]
    return runs.as_csv([data.columns[0].name, unit], rows)
