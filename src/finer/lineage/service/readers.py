"""What people have made that shows or looks at others: metrics, dashboards, schedules, alerts, monitors, segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from finer.dashboards.service import alerts, dashboards
from finer.dashboards.types import ALERT_PREFIX, Dashboard
from finer.identity.service import people
from finer.identity.service.authorisation import allowed
from finer.identity.types.access import Permission, Role
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.lineage.rules.build import field_node
from finer.lineage.types import NodeKind, Reader
from finer.operations.service import metrics
from finer.quality.service import overview
from finer.segments.service import segments
from finer.segments.types import CONTRACT
from finer.segments.types import PREFIX as SEGMENT_PREFIX
from finer.workspace.service import saved, schedules

_PAGES: tuple[tuple[Permission, str, str, str, Mapping[str, Sequence[str]]], ...] = (
    (Permission.FINANCE_READ, "finance", "Financial performance", "Revenue, payments and refunds",
     {"order": ("currency", "amount", "quantity", "unit_cost"), "transaction": ("currency", "amount")}),
    (Permission.ORDERS_READ, "orders", "Order status", "Where orders stand", {"order": ("currency", "amount")}),
    (Permission.BEHAVIOUR_READ, "behaviour", "Customer behaviour", "Sessions, actions and product interest",
     {"activity": ()}),
)  # fmt: skip
"""Pages of numbers that come with Finer: who may open them, and what they add up of which contracts."""


def readers_for(tx: Tx) -> list[Reader]:
    """What the caller may see of it; of schedules and alerts their own. Machines see metrics only."""
    found = [
        Reader(
            NodeKind.METRIC,
            one.name,
            one.title,
            one.about,
            reads=tuple(field_node(one.contract, column) for column in metrics.columns_of(one.name)),
        )
        for one in metrics.METRICS.values()
    ]
    if tx.actor.kind != "user":
        return found
    role = Role(tx.actor.role)
    found += [
        Reader(NodeKind.DASHBOARD, name, title, about, link=f"/{name}", reads=_summed(read))
        for needs, name, title, about, read in _PAGES
        if allowed(role, needs) is not None
    ]
    if allowed(role, Permission.DASHBOARDS_READ) is not None:
        found += _boards(tx)
    if allowed(role, Permission.DASHBOARDS_WRITE) is not None:
        found += _alerts(tx)
    if allowed(role, Permission.SQL_RUN) is not None:
        found += _schedules(tx)
    if allowed(role, Permission.QUALITY_READ) is not None:
        found += _monitors(tx)
    if allowed(role, Permission.SEGMENTS_READ) is not None:
        found += _segments(tx)
    return found


def _boards(tx: Tx) -> Iterator[Reader]:
    made = dashboards.list_dashboards(tx)
    names = people.names(tx, [one.owner_id for one in made])
    for one in made:
        identifier = show_id(dashboards.PREFIX, one.id)
        yield Reader(
            NodeKind.DASHBOARD, identifier, one.name, one.description, names.get(str(one.owner_id), ""),
            f"/dashboards/{identifier}", reads=tuple(_shown_on(one)),
        )  # fmt: skip


def _shown_on(one: Dashboard) -> Iterator[str]:
    for tile in one.tiles:
        if tile.query is not None:
            yield f"query:{tile.query.saved}"
        if tile.metric is not None:
            yield f"metric:{tile.metric.name}"


def _alerts(tx: Tx) -> Iterator[Reader]:
    for one in alerts.list_alerts(tx):
        watched = one.alert.watched
        yield Reader(
            NodeKind.METRIC_ALERT, show_id(ALERT_PREFIX, one.id), one.alert.name, one.alert.condition,
            link="/metric-alerts", reads=(f"metric:{watched.metric}",),
        )  # fmt: skip


def _schedules(tx: Tx) -> Iterator[Reader]:
    for one in schedules.list_schedules(tx):
        told = "Runs by itself" if one.plan.alert is None else "Runs by itself, and tells of its result"
        yield Reader(
            NodeKind.SCHEDULE, show_id(schedules.PREFIX, one.id), one.plan.name, told, link="/sql?tab=schedules",
            reads=(f"query:{show_id(saved.PREFIX, one.plan.saved_id)}",),
        )  # fmt: skip


def _monitors(tx: Tx) -> Iterator[Reader]:
    for one in overview.field_monitors(tx):
        yield Reader(
            NodeKind.MONITOR, f"{one.contract}.{one.field}.{one.kind}", f"{one.field}: {one.kind}",
            "Learns what is usual, and tells of what is not", parent=one.contract,
            link=f"/quality?contract={quote(one.contract)}", reads=(field_node(one.contract, one.field),),
        )  # fmt: skip


def _segments(tx: Tx) -> Iterator[Reader]:
    made = segments.list_segments(tx)
    names = people.names(tx, [one.owner_id for one in made])
    for one in made:
        identifier = show_id(SEGMENT_PREFIX, one.id)
        yield Reader(
            NodeKind.SEGMENT, identifier, one.draft.name, one.draft.condition, names.get(str(one.owner_id), ""),
            f"/segments/{identifier}", reads=tuple(field_node(CONTRACT, name) for name in one.reads),
        )  # fmt: skip


def _summed(read: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(
        field_node(name, column) for name, adds in read.items() for column in metrics.columns_summed(name, adds)
    )
