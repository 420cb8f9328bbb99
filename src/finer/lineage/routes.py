"""HTTP of lineage and catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.kit.tx import Tx
from finer.lineage.service import catalogue as service
from finer.lineage.types import Edge, Node, NodeKind

_Text = Annotated[str, Parameter(max_length=200)]


class LineageGraph(msgspec.Struct, frozen=True):
    """What a node comes from and where it goes; each node stands in a layer, and edges lead from left to right."""

    node: str
    nodes: list[Node]
    edges: list[Edge]
    layers: dict[str, int]
    whole: bool


class FieldReaders(msgspec.Struct, frozen=True):
    """Everything that reads a field of a contract, the nearest first."""

    contract: str
    field: str
    readers: list[Node]


class CataloguePage(msgspec.Struct, frozen=True):
    """What a search found, best first, and how many entries the catalogue has of each kind."""

    items: list[Node]
    kinds: dict[str, int]


class CatalogueDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with what it is made from, what reads it, how fresh it is, and a value where the caller may see one."""

    entry: Node
    sources: list[Node]
    readers: list[Node]
    rows: int | None
    newest: datetime | None
    example: str | None


class LineageController(Controller):
    """Where data comes from and who reads it."""

    path = "/api/v1"
    tags = ["Catalogue"]

    @get(
        "/lineage/graph", opt={"permission": Permission.LINEAGE_READ}, sync_to_thread=True, summary="Lineage of a node"
    )
    def graph(
        self,
        tx: Tx,
        lake: Any,
        node: _Text,
        depth: Annotated[int, Parameter(ge=1, le=9)] = 9,
    ) -> LineageGraph:
        """The part of the lineage around a node, such as `field:transaction.amount_minor`, as many steps each way."""
        found = service.graph(service.lineage_of(tx, lake), node, depth)
        return LineageGraph(node, found.nodes, found.edges, found.layers, found.whole)

    @get(
        "/lineage/fields/{contract:str}/{field:str}", opt={"permission": Permission.LINEAGE_READ}, sync_to_thread=True,
        summary="What reads a field",
    )  # fmt: skip
    def readers(self, tx: Tx, lake: Any, contract: str, field: str) -> FieldReaders:
        """Derived columns, features, rules, alerts, lake columns, saved queries and dashboards that read a field."""
        lineage = service.lineage_of(tx, lake)
        return FieldReaders(contract, field, service.readers_of_field(lineage, contract, field))

    @get("/catalogue", opt={"permission": Permission.LINEAGE_READ}, sync_to_thread=True, summary="Search the catalogue")
    def search(
        self,
        tx: Tx,
        lake: Any,
        text: Annotated[str, Parameter(query="search", max_length=200)] = "",
        kind: NodeKind | None = None,
        limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    ) -> CataloguePage:
        """Contracts, fields, columns, features, rules, tables, queries and dashboards that have every word."""
        lineage = service.lineage_of(tx, lake)
        kinds: dict[str, int] = {}
        for one in lineage.nodes.values():
            kinds[one.kind.value] = kinds.get(one.kind.value, 0) + 1
        return CataloguePage(service.search(lineage, text, kind, limit), kinds)

    @get(
        "/catalogue/{entry:str}", opt={"permission": Permission.LINEAGE_READ}, sync_to_thread=True, summary="One entry"
    )
    def detail(self, tx: Tx, lake: Any, entry: str) -> CatalogueDetail:
        """An entry with its neighbours; an example only where the caller sees values of its class whole."""
        found = service.entry(tx, service.lineage_of(tx, lake), lake, entry)
        return CatalogueDetail(
            entry=found.node, sources=found.sources, readers=found.readers, rows=found.rows, newest=found.newest,
            example=found.example,
        )  # fmt: skip
