"""The graph, made from the definitions that the program itself works by. Nothing in it is kept by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from finer.features.types import Entity, FeatureDefinition, FeatureSet
from finer.fraud.types import Rule
from finer.ingest.types.contracts import Contract
from finer.lineage.rules.sql import columns_read
from finer.lineage.types import DerivedColumn, Edge, ModelInForce, Node, NodeKind, Reader, SavedQuery
from finer.warehouse.types import LakeTable

DECIDED = "transaction"
"""The contract whose records windows and rules read."""
DECISIONS = "decisions"
_OF_MODELS = frozenset({"score", "score_threshold"})
_VERDICT = ("action", "rules", "score", "rule_pack", "feature_set", "model")


class Lineage:
    """Nodes by id, and who reads whom in both directions."""

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge]) -> None:
        """Edges to what is no node are left out: a query may name a table that is gone."""
        self.nodes: dict[str, Node] = {node.id: node for node in nodes}
        self.readers: dict[str, list[str]] = {}
        self.sources: dict[str, list[str]] = {}
        for edge in dict.fromkeys(edges):
            if edge.source in self.nodes and edge.target in self.nodes and edge.source != edge.target:
                self.readers.setdefault(edge.source, []).append(edge.target)
                self.sources.setdefault(edge.target, []).append(edge.source)


class Definitions:
    """What the graph is made from."""

    def __init__(
        self,
        contracts: Mapping[str, Contract],
        features: FeatureSet,
        derived: Sequence[DerivedColumn],
        rules: Sequence[tuple[Rule, frozenset[str]]],
        alert_columns: Sequence[str],
        tables: Sequence[LakeTable],
        queries: Sequence[SavedQuery] = (),
        classes: Mapping[tuple[str, str], str] = MappingProxyType({}),
        model: ModelInForce | None = None,
        readers: Sequence[Reader] = (),
        challenger: ModelInForce | None = None,
        tells_conditions: bool = True,
    ) -> None:
        """`rules` come with the columns that their checked condition names, `classes` are those of lake columns.

        `tells_conditions` says whether the caller may read what a firm's rules ask.
        """
        self.contracts, self.features, self.derived = contracts, features, derived
        self.rules, self.alert_columns, self.tables, self.queries = rules, alert_columns, tables, queries
        self.classes, self.model, self.challenger, self.readers = classes, model, challenger, readers
        self.tells_conditions = tells_conditions


def build(known: Definitions) -> Lineage:
    """The whole graph of one firm."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    _contracts(known, nodes)
    _columns(known, nodes, edges)
    _features(known, nodes, edges)
    _model(known, nodes, edges)
    _rules(known, nodes, edges)
    _lake(known, nodes, edges)
    _queries(known, nodes, edges)
    _readers(known, nodes, edges)
    return Lineage(nodes, edges)


def field_node(contract: str, column: str) -> str:
    """The id of a field of a contract."""
    return f"field:{contract}.{column}"


def _contracts(known: Definitions, nodes: list[Node]) -> None:
    for contract in known.contracts.values():
        link = f"/contracts/{contract.name}"
        nodes.append(
            Node(
                id=f"contract:{contract.name}", kind=NodeKind.CONTRACT, name=contract.name, about=contract.description,
                type=f"version {contract.version}", owner=contract.owner, link=link,
            )
        )  # fmt: skip
        nodes += [
            Node(
                id=field_node(contract.name, field.column), kind=NodeKind.FIELD, name=field.name, parent=contract.name,
                about=field.description, type=field.kind.value, data_class=field.classification or "internal",
                owner=contract.owner, link=link,
            )
            for field in contract.fields
        ]  # fmt: skip


def _columns(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    for column in known.derived:
        target = f"column:{DECIDED}.{column.name}"
        about = "" if column.condition else f"Computed from {', '.join(column.inputs)}"
        nodes.append(
            Node(
                id=target, kind=NodeKind.COLUMN, name=column.name, parent=DECIDED, about=about,
                type="boolean" if column.condition else "number", definition=column.condition,
            )
        )  # fmt: skip
        edges += [Edge(_input(known, name), target) for name in column.inputs]


def _features(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    entities = {entity.name: entity for entity in known.features.entities}
    for one in known.features.definitions:
        target = f"feature:{one.name}"
        nodes.append(
            Node(
                id=target, kind=NodeKind.FEATURE, name=one.name, parent=one.entity, about=one.description,
                type=one.unit or ("text" if one.is_text else "number"), definition=_window(one, entities[one.entity]),
            )
        )  # fmt: skip
        names = [*entities[one.entity].columns, *(name for name in (one.value, one.where) if name is not None)]
        edges += [Edge(_input(known, name), target) for name in [*names, "occurred_at"]]
        if entities[one.entity].told:
            edges += [Edge(f"lake:labels.{name}", target) for name in ("verdict", "known_at")]


def _window(one: FeatureDefinition, entity: Entity) -> str:
    over = "ever" if one.window is None else f"over {_length(one.window)}"
    if entity.told:
        return f"count(labels) by {', '.join(entity.columns)} {over}"
    return f"{one.aggregate.value}({one.value or '*'}) by {one.entity} {over}" + (
        f" where {one.where}" if one.where else ""
    )


def _length(span: timedelta) -> str:
    for name, one in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if span >= one and span % one == timedelta(0):
            return f"{span // one} {name}{'' if span == one else 's'}"
    return f"{span / timedelta(seconds=1):g} seconds"


def _model(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    challenger = known.challenger
    if challenger is not None and (known.model is None or challenger.name != known.model.name):
        _add_model(known, challenger, "Scores each record beside the model that decides", nodes, edges)
    if known.model is not None:
        about = f"Scores each record; from {known.model.threshold:g} on the score counts"
        _add_model(known, known.model, about, nodes, edges)


def _add_model(known: Definitions, model: ModelInForce, about: str, nodes: list[Node], edges: list[Edge]) -> None:
    target = f"model:{model.name}"
    definition = f"gradient boosted trees, SHA-256 {model.sha256[:12]}"
    nodes.append(
        Node(id=target, kind=NodeKind.MODEL, name=model.name, type="number", about=about, definition=definition)
    )
    edges += [Edge(_input(known, name), target) for name in model.columns]


def _rules(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    verdict = "alert:verdict"
    nodes.append(
        Node(
            id=verdict, kind=NodeKind.ALERT, name="verdict", about="The action, the rules that held, and the reasons",
            link="/fraud",
        )
    )  # fmt: skip
    for rule, columns in known.rules:
        target = f"rule:{rule.id}"
        nodes.append(
            Node(
                id=target, kind=NodeKind.RULE, name=rule.id, about=rule.title, type=rule.action.word,
                definition=rule.condition if known.tells_conditions else "", link=f"/fraud?state=all&rule={rule.id}",
            )
        )  # fmt: skip
        edges += [Edge(_input(known, name), target) for name in sorted(columns)]
        edges.append(Edge(target, verdict))
    for name in known.alert_columns:
        nodes.append(Node(id=f"alert:{name}", kind=NodeKind.ALERT, name=name, about="Shown in alerts", link="/fraud"))
        edges.append(Edge(_input(known, name), f"alert:{name}"))


def _lake(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    features = {name.replace(".", "_"): name for name in known.features.names}
    for table in known.tables:
        nodes.append(Node(id=f"table:{table.name}", kind=NodeKind.TABLE, name=table.name, about="A table of the lake"))
        for column in table.columns:
            target = f"lake:{table.name}.{column.name}"
            nodes.append(
                Node(
                    id=target, kind=NodeKind.LAKE, name=column.name, parent=table.name, type=column.type,
                    data_class=known.classes.get((table.name, column.name), "sensitive"),
                )
            )  # fmt: skip
            edges.append(Edge(target, f"table:{table.name}"))
            if table.name != DECISIONS:
                edges.append(Edge(field_node(_stream(known, table.name), column.name), target))
            elif column.name in features:
                edges.append(Edge(f"feature:{features[column.name]}", target))
            else:
                edges.append(Edge("alert:verdict" if column.name in _VERDICT else _input(known, column.name), target))


def _queries(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    columns = {table.name: {column.name: column.type for column in table.columns} for table in known.tables}
    for query in known.queries:
        target = f"query:{query.id}"
        nodes.append(
            Node(
                id=target, kind=NodeKind.QUERY, name=query.name, about=query.about, owner=query.owner,
                definition=query.statement, link=query.link,
            )
        )  # fmt: skip
        edges += [Edge(f"lake:{table}.{column}", target) for table, column in columns_read(query.statement, columns)]


def _readers(known: Definitions, nodes: list[Node], edges: list[Edge]) -> None:
    for one in known.readers:
        target = f"{one.kind}:{one.id}"
        nodes.append(
            Node(
                id=target, kind=one.kind, name=one.name, parent=one.parent, about=one.about, owner=one.owner,
                link=one.link,
            )
        )  # fmt: skip
        edges += [Edge(source, target) for source in one.reads]


def _stream(known: Definitions, table: str) -> str:
    return table if table in known.contracts else table.removesuffix("s")


def _input(known: Definitions, name: str) -> str:
    """The node that windows, rules and models mean by a name."""
    if name in _OF_MODELS and known.model is not None:
        return f"model:{known.model.name}"
    if name in known.features.names:
        return f"feature:{name}"
    if any(column.name == name for column in known.derived):
        return f"column:{DECIDED}.{name}"
    return field_node(DECIDED, name)
