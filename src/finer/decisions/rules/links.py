"""The graph of what a case is linked with, from rows of who used what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from finer.decisions.types.cases import LinkEdge, LinkGraph, LinkNode

NODES_MAX = 120
"""Nodes of one graph: more cannot be read."""


def graph(
    column: str,
    subject: str,
    shared: Iterable[Mapping[str, Any]],
    contacts: Iterable[Mapping[str, Any]],
    found: Mapping[str, tuple[int, int]],
    *,
    rows_max: int,
) -> LinkGraph:
    """Customers and accounts, joined by the devices, cards, payees and contacts that they used.

    `found` are open and confirmed alerts by node id. Nodes that come first are kept where there are too many.
    """
    kind = column.removesuffix("_id")
    here = f"{kind}:{subject}"
    nodes: dict[str, LinkNode] = {here: LinkNode(id=here, kind=kind, value=subject, here=True, payments=0)}
    edges: dict[tuple[str, str], LinkEdge] = {}
    seen = 0

    def node(identifier: str, payments: int) -> bool:
        known = nodes.get(identifier)
        if known is None and len(nodes) >= NODES_MAX:
            return False
        what, _, value = identifier.partition(":")
        before = 0 if known is None else known.payments
        nodes[identifier] = LinkNode(
            id=identifier, kind=what, value=value, here=identifier == here, payments=before + payments
        )
        return True

    def edge(source: str, target: str, times: int, last_at: Any) -> None:
        before = edges.get((source, target))
        edges[source, target] = LinkEdge(
            source=source, target=target, times=times + (0 if before is None else before.times),
            last_at=last_at if before is None or before.last_at is None else max(before.last_at, last_at),
        )  # fmt: skip

    whole = True
    for row in shared:
        seen += 1
        who = _user(column, row)
        if who is None:
            continue
        if not (node(who, row["times"]) and node(row["thing"], row["times"])):
            whole = False
            continue
        edge(who, row["thing"], row["times"], row["last_at"])
    for row in contacts:
        who = f"customer:{row['customer_id']}"
        if row["thing"] is None:
            continue
        if not (node(who, 0) and node(row["thing"], 0)):
            whole = False
            continue
        edge(who, row["thing"], 1, row["last_at"])
    counted = [
        LinkNode(
            id=one.id, kind=one.kind, value=one.value, here=one.here, payments=one.payments,
            open_alerts=found.get(one.id, (0, 0))[0], confirmed=found.get(one.id, (0, 0))[1],
        )
        for one in nodes.values()
    ]  # fmt: skip
    return LinkGraph(nodes=counted, edges=list(edges.values()), whole=whole and seen < rows_max)


def _user(column: str, row: Mapping[str, Any]) -> str | None:
    for name in (column, "customer_id", "account_id"):
        if row[name]:
            return f"{name.removesuffix('_id')}:{row[name]}"
    return None
