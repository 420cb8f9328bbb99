"""The public interface of lineage: the graph around a node, what reads a field, and the catalogue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from finer.decisions.types.alerts import NewAlert
from finer.features.types import FeatureSet
from finer.fraud.service import rule_sets
from finer.fraud.service import verdicts as fraud
from finer.identity.service import people
from finer.identity.service.authorisation import allowed, masking_of
from finer.identity.types.access import Permission, Role
from finer.ingest.service import contracts
from finer.ingest.types.contracts import FirmContracts
from finer.kit.errors import NotFound
from finer.kit.ids import show_id
from finer.kit.masking import DataClass
from finer.kit.tx import Tx
from finer.lineage.errors import EntryNotFound
from finer.lineage.rules import look
from finer.lineage.rules.build import DECIDED, Definitions, Lineage, build
from finer.lineage.service.readers import readers_for
from finer.lineage.types import DerivedColumn, Entry, Graph, ModelInForce, Node, NodeKind, Reader, SavedQuery
from finer.scoring.service import models as scoring
from finer.scoring.types import Model
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service import shown
from finer.warehouse.types import LakeTable
from finer.workspace.service import saved

_KEPT_MAX = 256
_EVERYBODYS = frozenset({DataClass.PUBLIC, DataClass.INTERNAL})
_built: dict[uuid.UUID, tuple[object, Lineage]] = {}


def lineage_of(tx: Tx, lake: warehouse.LakeReader) -> Lineage:
    """The whole graph of a firm as the caller may see it; made anew only when a definition has changed."""
    queries, model, challenger, readers = _queries(tx), *_models(tx), readers_for(tx)
    firm = contracts.load(tx)
    tables = tuple(_tables(tx, lake))
    shape = [(table.name, table.columns) for table in tables]
    headers = (one.header for one in firm.current.values())
    in_force, tells = rule_sets.version_in_force(tx), _may(tx, Permission.RULES_READ)
    decides = (repr(fraud.versions()), in_force, tells, model, challenger)
    state = (*headers, *decides, repr(shape), tuple(queries), tuple(readers))
    known = _built.get(tx.tenant)
    if known is not None and known[0] == state:
        return known[1]
    found = build(_definitions(tx, firm, tables, queries, (model, challenger), readers, tells=tells))
    if len(_built) >= _KEPT_MAX:
        _built.clear()
    _built[tx.tenant] = (state, found)
    return found


def _queries(tx: Tx) -> list[SavedQuery]:
    """The saved queries that the caller may see; none for machines, and for people who ask nothing of the lake."""
    if not _may(tx, Permission.SQL_RUN):
        return []
    found = saved.list_saved(tx)
    names = people.names(tx, [one.owner_id for one in found])
    return [
        SavedQuery(
            identifier, one.name, one.description, names.get(str(one.owner_id), ""), one.statement,
            f"/sql?saved={identifier}",
        )
        for one in found
        for identifier in (show_id(saved.PREFIX, one.id),)
    ]  # fmt: skip


def _models(tx: Tx) -> tuple[ModelInForce | None, ModelInForce | None]:
    """The model that decides, and the one that is tried beside it."""
    decides, beside = scoring.active_model(tx, fraud.PRODUCT), scoring.challenger(tx, fraud.PRODUCT)
    return _scores(decides), _scores(beside)


def _scores(found: Model | None) -> ModelInForce | None:
    return None if found is None else ModelInForce(found.name, tuple(found.columns), found.sha256, found.threshold)


def _may(tx: Tx, needs: Permission) -> bool:
    return tx.actor.kind == "user" and allowed(Role(tx.actor.role), needs) is not None


def _tables(tx: Tx, lake: warehouse.LakeReader) -> list[LakeTable]:
    try:
        return lake.tables(tx.tenant)
    except NotFound:  # nothing has reached the lake yet
        return []


def _definitions(
    tx: Tx,
    firm: FirmContracts,
    tables: Sequence[LakeTable],
    queries: Sequence[SavedQuery],
    models: tuple[ModelInForce | None, ModelInForce | None],
    readers: Sequence[Reader],
    *,
    tells: bool,
) -> Definitions:
    current, held = firm.current, shown.by_table(firm)
    features: FeatureSet = fraud.windows()
    fields = {field.column for field in current[DECIDED].fields} if DECIDED in current else set()
    derived = [DerivedColumn(name, inputs, condition) for name, inputs, condition in fraud.derived_columns()]
    in_alerts = [name for name in NewAlert.__struct_fields__ if name in fields | {one.name for one in derived}]
    classes = {
        (table.name, column.name): shown.class_of(held.get(table.name), table, column).value
        for table in tables
        for column in table.columns
    }
    return Definitions(
        current, features, derived, fraud.rule_columns_of(tx), in_alerts, tables, queries, classes=classes,
        model=models[0], challenger=models[1], readers=readers, tells_conditions=tells,
    )  # fmt: skip


def graph(lineage: Lineage, node: str, depth: int) -> Graph:
    """What a node comes from and where it goes. Raises EntryNotFound."""
    _find(lineage, node)
    return look.around(lineage, node, depth)


def readers_of_field(lineage: Lineage, contract: str, field: str) -> list[Node]:
    """Everything that reads a field of a contract, however far on, the nearest first. Raises EntryNotFound."""
    for node in lineage.nodes.values():
        if node.kind is NodeKind.FIELD and node.parent == contract and field in (node.name, node.id.rpartition(".")[2]):
            return [lineage.nodes[name] for name in look.reach(node.id, lineage.readers, len(NodeKind))]
    raise EntryNotFound(f"There is no field {field[:80]!r} in a contract {contract[:80]!r}.")


def search(lineage: Lineage, text: str, kind: NodeKind | None, limit: int) -> list[Node]:
    """The entries of the catalogue that have every word of a text, best first."""
    return look.search(lineage.nodes.values(), text, kind, limit)


def entry(tx: Tx, lineage: Lineage, lake: warehouse.LakeReader, identifier: str) -> Entry:
    """One entry with its neighbours, its freshness, and a value where the caller may see it. Raises EntryNotFound."""
    node = _find(lineage, identifier)
    table = node.name if node.kind is NodeKind.TABLE else node.parent if node.kind is NodeKind.LAKE else None
    fresh = next((one for one in warehouse.freshness(tx) if one.table == table), None)
    return Entry(
        node=node,
        sources=[lineage.nodes[name] for name in lineage.sources.get(identifier, ())],
        readers=[lineage.nodes[name] for name in lineage.readers.get(identifier, ())],
        rows=None if fresh is None else fresh.rows,
        newest=None if fresh is None else fresh.newest,
        example=_example(tx, lake, node) if node.kind is NodeKind.LAKE else None,
    )


def _example(tx: Tx, lake: warehouse.LakeReader, node: Node) -> str | None:
    known = DataClass(node.data_class)
    # A machine sees in clear what it sent, and this may be what another one did, such as what goods cost.
    if not masking_of(tx.actor).clear(known) or (tx.actor.kind == "key" and known not in _EVERYBODYS):
        return None
    # Both names come from the lake's own catalogue.
    query = f'select "{node.name}" as v from "{node.parent}" where "{node.name}" is not null limit 1'  # noqa: S608
    try:
        rows = lake.read(tx.tenant, query).to_pylist()
    except NotFound:  # nothing has reached the lake yet
        return None
    return str(rows[0]["v"])[:120] if rows else None


def _find(lineage: Lineage, identifier: str) -> Node:
    found = lineage.nodes.get(identifier)
    if found is None:
        raise EntryNotFound(
            f"The catalogue has no {identifier[:120]!r}. GET /api/v1/catalogue?search=... finds what it has."
        )
    return found
