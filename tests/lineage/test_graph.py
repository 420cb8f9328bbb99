"""The graph is what the definitions say: every input of every window and rule, and nothing else."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.fraud.rules.evaluate import COMPUTED, add_derived
from finer.fraud.service import verdicts as fraud
from finer.ingest.service.contracts import contracts
from finer.kit.columns import Columns
from finer.lineage.errors import EntryNotFound
from finer.lineage.rules import look
from finer.lineage.rules.build import Definitions, Lineage, build
from finer.lineage.rules.sql import columns_read
from finer.lineage.service import catalogue as service
from finer.lineage.types import DerivedColumn, ModelInForce, NodeKind, SavedQuery
from finer.warehouse.types import LakeColumn, LakeTable

_TABLES = (
    LakeTable("transactions", 3, (LakeColumn("amount_minor", "BIGINT"), LakeColumn("account_id", "VARCHAR"))),
    LakeTable("decisions", 3, (LakeColumn("account_count_10s", "FLOAT"), LakeColumn("action", "VARCHAR"))),
)
_QUERY = SavedQuery("q1", "Spend", "Who spends", "Budi", "select sum(amount_minor) from transactions t", "/sql/q1")


_MODEL = ModelInForce(
    name="fraud", columns=("account.count_10s", "amount_usd_minor", "mcc"), sha256="0123456789abcdef" * 4,
    threshold=0.31,
)  # fmt: skip


def _built(model: ModelInForce | None) -> Lineage:
    derived = [DerivedColumn(*one) for one in fraud.derived_columns()]
    shown = ["customer_id", "amount_minor", "amount_usd_minor"]
    known = Definitions(
        contracts(), fraud.windows(), derived, fraud.rule_columns(), shown, _TABLES, (_QUERY,), model=model
    )
    return build(known)


@pytest.fixture(scope="module")
def lineage() -> Lineage:
    return _built(None)


@pytest.fixture(scope="module")
def with_model() -> Lineage:
    return _built(_MODEL)


def test_every_input_of_every_window_and_rule_is_a_node(lineage: Lineage) -> None:
    for definition in fraud.windows().definitions:
        sources = lineage.sources[f"feature:{definition.name}"]
        names = {one.rpartition(".")[2] for one in sources}
        assert {definition.value, definition.where} - {None} <= names
    for rule, columns in fraud.rule_columns():
        found = {lineage.nodes[one] for one in lineage.sources.get(f"rule:{rule.id}", ())}
        known = {node.id.partition(":")[2].removeprefix("transaction.") for node in found}
        assert columns - known <= {"score", "score_threshold"}


def test_a_field_is_followed_to_its_features_rules_verdict_lake_and_queries(lineage: Lineage) -> None:
    found = {node.id for node in service.readers_of_field(lineage, "transaction", "amount")}
    assert {
        "column:transaction.amount_usd_minor", "feature:account.mean_30d", "rule:far_above_habit", "alert:verdict",
        "alert:amount_minor", "lake:transactions.amount_minor", "table:transactions", "query:q1",
        "lake:decisions.action",
    } <= found  # fmt: skip
    assert "feature:merchant.count_10m" not in found, "a count of spending reads the type, not the amount"


def test_the_lake_column_of_a_feature_leads_back_to_the_fields(lineage: Lineage) -> None:
    before = look.reach("lake:decisions.account_count_10s", lineage.sources, 9)
    assert before[0] == "feature:account.count_10s"
    assert {"field:transaction.account_id", "field:transaction.type", "field:transaction.occurred_at"} <= set(before)


def test_a_model_stands_between_its_features_and_the_rules_that_read_its_score(with_model: Lineage) -> None:
    node = with_model.nodes["model:fraud"]
    assert (node.kind, node.about) == (NodeKind.MODEL, "Scores each record; from 0.31 on the score counts")
    assert "0123456789ab" in node.definition
    assert set(with_model.sources["model:fraud"]) == {
        "feature:account.count_10s", "column:transaction.amount_usd_minor", "field:transaction.mcc",
    }  # fmt: skip
    readers = {rule.id for rule, columns in fraud.rule_columns() if columns & {"score", "score_threshold"}}
    assert readers
    assert all("model:fraud" in with_model.sources[f"rule:{rule}"] for rule in readers)
    # A field of a record is followed through the model to what it moves.
    found = {one.id for one in service.readers_of_field(with_model, "transaction", "mcc")}
    assert {"model:fraud", *(f"rule:{rule}" for rule in readers), "alert:verdict"} <= found


def test_a_window_says_how_long_it_is(lineage: Lineage) -> None:
    said = lineage.nodes["feature:account.mean_30d"].definition
    assert said == "mean(amount_usd_minor) by account over 30 days where is_spending"
    assert "over 10 seconds" in lineage.nodes["feature:account.count_10s"].definition


def test_without_a_model_nothing_is_made_of_one(lineage: Lineage) -> None:
    assert not [one for one in lineage.nodes.values() if one.kind is NodeKind.MODEL]


def test_what_does_not_exist_is_said(lineage: Lineage) -> None:
    with pytest.raises(EntryNotFound, match="nothing"):
        service.readers_of_field(lineage, "transaction", "nothing")
    with pytest.raises(EntryNotFound, match="finds what it has"):
        service.graph(lineage, "field:transaction.nothing", 3)


def test_edges_lead_to_the_right(lineage: Lineage) -> None:
    for start in lineage.nodes:
        graph = look.around(lineage, start, 9)
        assert all(graph.layers[edge.source] < graph.layers[edge.target] for edge in graph.edges), start
        assert {node.id for node in graph.nodes} >= {start}
        assert len(graph.nodes) <= look.NODES_MAX


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("mean_30d", "feature:account.mean_30d"),
        ("high_amount", "rule:high_amount"),
        ("AMOUNT transaction", "field:transaction.amount_minor"),
        ("who spends", "query:q1"),
    ],
)
def test_the_catalogue_is_searched_by_name_first(lineage: Lineage, text: str, first: str) -> None:
    assert service.search(lineage, text, None, 5)[0].id == first


@given(st.text(max_size=30))
def test_any_search_is_answered(text: str) -> None:
    assert look.search([], text, NodeKind.FIELD, 5) == []


_SCHEMA = {"transactions": {"amount_minor": "BIGINT", "account_id": "VARCHAR"}, "decisions": {"action": "VARCHAR"}}


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("select amount_minor from transactions", {"transactions.amount_minor"}),
        ("select t.amount_minor x from transactions t where t.account_id = 'a'", {
            "transactions.amount_minor", "transactions.account_id",
        }),
        ("select * from decisions", {"decisions.action"}),
        ("with a as (select account_id k from transactions) select k from a", {"transactions.account_id"}),
        ("select count(*) from transactions", set()),
        ("select action, (select max(amount_minor) from transactions) from decisions", {
            "decisions.action", "transactions.amount_minor",
        }),
        ("select nothing from nowhere", set()),
        ("this is no sql (", set()),
    ],
)  # fmt: skip
def test_the_columns_of_a_query_are_found(statement: str, reads: set[str]) -> None:
    assert {f"{table}.{column}" for table, column in columns_read(statement, _SCHEMA)} == reads


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_queries(text: str) -> None:
    assert isinstance(columns_read(text, _SCHEMA), list)


class Watched(Columns):
    """Columns that remember which of them were read."""

    def __init__(self, source: Columns) -> None:
        self.__dict__.update(source.__dict__)
        self.read: set[str] = set()

    def values(self, name: str) -> Any:
        self.read.add(name)
        return super().values(name)

    def hashes(self, name: str) -> Any:
        self.read.add(name)
        return super().hashes(name)


def test_what_is_said_of_computed_columns_is_what_the_code_reads() -> None:
    import pyarrow as pa

    batch = pa.RecordBatch.from_pydict({
        "amount_minor": pa.array([100], pa.int64()), "occurred_at": pa.array([0], pa.timestamp("us", "UTC")),
        **{name: pa.array(["x"]) for name in ("currency", "account_id", "card_last4", "type")},
    })  # fmt: skip
    columns = Watched(Columns(batch))
    before = set(batch.schema.names)
    add_derived(columns, np.array([100]), None, ZoneInfo("UTC"))
    derived = {name for name, _, _ in fraud.derived_columns()}
    named = {name for inputs in COMPUTED.values() for name in inputs}
    assert columns.read & before <= named | {"type"}
    assert all(name in columns for name in derived)
