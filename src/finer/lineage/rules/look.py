"""Looking at the graph: what is around a node, and the search of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from finer.lineage.rules.build import Lineage
from finer.lineage.types import Edge, Graph, Node, NodeKind

NODES_MAX = 200
_ORDER = {kind: place for place, kind in enumerate(NodeKind)}


def reach(start: str, steps: Mapping[str, list[str]], depth: int) -> list[str]:
    """Everything that is at most `depth` steps away, the nearest first, without the start."""
    found: dict[str, None] = {}
    edge = [start]
    for _ in range(depth):
        edge = [name for one in edge for name in steps.get(one, ()) if name not in found and name != start]
        edge = list(dict.fromkeys(edge))
        found |= dict.fromkeys(edge)
    return list(found)


def around(lineage: Lineage, start: str, depth: int) -> Graph:
    """What a node comes from and where it goes, `depth` steps each way."""
    before, after = reach(start, lineage.sources, depth), reach(start, lineage.readers, depth)
    names = list(dict.fromkeys([start, *(name for pair in _zip(before, after) for name in pair)]))
    kept = set(names[:NODES_MAX])
    edges = [
        Edge(source, target) for source in names if source in kept for target in lineage.readers.get(source, ())
        if target in kept
    ]  # fmt: skip
    nodes = [lineage.nodes[name] for name in names if name in kept]
    return Graph(nodes, edges, layers(nodes, edges), len(names) <= NODES_MAX)


def _zip(before: list[str], after: list[str]) -> Iterable[list[str]]:
    for place in range(max(len(before), len(after))):
        yield [*before[place : place + 1], *after[place : place + 1]]


def layers(nodes: list[Node], edges: list[Edge]) -> dict[str, int]:
    """For each node one more than the furthest of those that it comes from: edges always lead to the right."""
    sources: dict[str, list[str]] = {}
    for edge in edges:
        sources.setdefault(edge.target, []).append(edge.source)
    found: dict[str, int] = {}
    # Definitions only name what is before them in the flow, so that this order is one of dependencies; derived columns
    # and windows name others of their own kind at most once.
    for _ in range(len(NodeKind)):
        before = dict(found)
        for node in sorted(nodes, key=lambda node: _ORDER[node.kind]):
            found[node.id] = max((found.get(name, 0) + 1 for name in sources.get(node.id, ())), default=0)
        if found == before:
            break
    return found


def search(nodes: Iterable[Node], text: str, kind: NodeKind | None, limit: int) -> list[Node]:
    """The nodes that have every word of a text in name, parent or description; best first, then as data flows."""
    words = text.lower().split()
    ranked = []
    for node in nodes:
        if kind is not None and node.kind is not kind:
            continue
        name = node.name.lower()
        whole = f"{node.parent.lower()}.{name} {node.kind} {node.about.lower()} {node.owner.lower()}"
        if not all(word in whole for word in words):
            continue
        rank = 0 if name == text.lower().strip() else 1 if words and name.startswith(words[0]) else 2
        rank = 3 if words and not any(word in name for word in words) else rank
        ranked.append((rank, _ORDER[node.kind], node.parent, name, node))
    return [node for *_, node in sorted(ranked, key=lambda one: one[:4])[:limit]]
