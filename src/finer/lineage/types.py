"""The nouns of lineage: nodes, what reads what, and what the graph is made from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class NodeKind(StrEnum):
    """What a node is, in the order in which data flows."""

    CONTRACT = "contract"
    FIELD = "field"
    COLUMN = "column"
    FEATURE = "feature"
    MODEL = "model"
    RULE = "rule"
    ALERT = "alert"
    TABLE = "table"
    LAKE = "lake"
    METRIC = "metric"
    QUERY = "query"
    DASHBOARD = "dashboard"
    SCHEDULE = "schedule"
    METRIC_ALERT = "metric_alert"
    MONITOR = "monitor"
    SEGMENT = "segment"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Something that data people can name. `id` is kind and name, such as `field:transaction.amount`.

    `parent` is the contract or table it belongs to, `data_class` how sensitive its values are, `definition` the
    condition, window or query that it is, `link` its page.
    """

    id: str
    kind: NodeKind
    name: str
    parent: str = ""
    about: str = ""
    type: str = ""
    data_class: str = ""
    owner: str = ""
    definition: str = ""
    link: str = ""


class Edge(msgspec.Struct, frozen=True):
    """`target` is made from or reads `source`; both are ids of nodes."""

    source: str
    target: str


class DerivedColumn(msgspec.Struct, frozen=True):
    """A column that is computed from others before rules and windows see it; `condition` when it is one."""

    name: str
    inputs: tuple[str, ...]
    condition: str = ""


class ModelInForce(msgspec.Struct, frozen=True):
    """A model that scores records, with the columns that it reads."""

    name: str
    columns: tuple[str, ...]
    sha256: str
    threshold: float


class SavedQuery(msgspec.Struct, frozen=True):
    """A query that somebody keeps."""

    id: str
    name: str
    about: str
    owner: str
    statement: str
    link: str


class Reader(msgspec.Struct, frozen=True):
    """What reads others: a metric, a dashboard, a schedule, an alert on a metric, a monitor of a field, a segment.

    `id` is without its kind, `reads` are the ids of the nodes that it is made from.
    """

    kind: NodeKind
    id: str
    name: str
    about: str = ""
    owner: str = ""
    link: str = ""
    parent: str = ""
    reads: tuple[str, ...] = ()


class Graph(msgspec.Struct, frozen=True):
    """A part of the lineage around one node. `layers` says for each node how far along the flow it stands."""

    nodes: list[Node]
    edges: list[Edge]
    layers: dict[str, int]
    whole: bool
    """False when the graph was cut because it is too large to be drawn."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the catalogue with what is known of it now."""

    node: Node
    sources: list[Node]
    readers: list[Node]
    rows: int | None = None
    newest: datetime | None = None
    example: str | None = None
    """A value as it stands in the lake; None when there is none, or the caller may not see it whole."""
