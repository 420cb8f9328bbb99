"""Questions are asked, answered, limited, cancelled and taken along, with the rights of whoever asks."""

from __future__ import annotations

import io
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.service import audit
from finer.identity.types.access import Role
from finer.identity.types.audit import AuditFilter
from finer.kit.errors import MomentToCome
from finer.kit.ids import show_id
from finer.kit.masking import DataClass
from finer.kit.tx import Tx
from finer.workspace.errors import (
    CannotBeUsed,
    NotFinished,
    ResultGone,
    RunNotFound,
    StatementRefused,
    TooManyQueries,
)
from finer.workspace.rules import results
from finer.workspace.service import runs
from finer.workspace.store.runs import RunStore
from finer.workspace.types import NewRun, ParameterDefinition, ParameterKind, Run, RunState
from tests.workspace.conftest import Desk


def _file(tx: Tx, desk: Desk, run: Run, form: str) -> bytes:
    """A result as a file, which is small enough for one person."""
    found = runs.export(tx, desk.settings, PROPOSAL_KINDS, run.id, form)
    assert isinstance(found, bytes)
    return found


def test_a_question_is_answered_with_its_cost(desk: Desk) -> None:
    run = desk.ask("select currency, count(*) as n, max(occurred_at) as last from transactions group by 1")
    assert (run.state, run.rows, run.truncated, run.problem) == (RunState.DONE, 1, False, "")
    assert [(column.name, column.type) for column in run.columns] == [
        ("currency", "text"), ("n", "number"), ("last", "timestamp"),
    ]  # fmt: skip
    assert run.cost.rows_read == 60
    assert run.cost.bytes_read > 0
    assert run.cost.seconds > 0
    with desk.tx() as tx:
        page = runs.read_page(tx, run.id, 0, 100)
        assert page.rows == [["USD", 60, "2026-03-01T12:00:59+00:00"]]
        assert (page.total, page.next) == (1, None)
        assert runs.list_runs(tx, limit=1)[0].id == run.id


def test_values_that_python_and_parquet_have_no_type_for_are_shown_as_text(desk: Desk) -> None:
    run = desk.ask(
        "select date 'infinity' as a, [date '-infinity'] as b, {'k': timestamp 'infinity'} as c, "
        "timestamp_s '290000-01-01' as d, date '2026-01-02' as e, interval '1 month' as f, union_value(k := 1) as g"
    )
    with desk.tx() as tx:
        [row] = runs.read_page(tx, run.id, 0, 1).rows
        assert row[:3] == ["infinity", ["-infinity"], {"k": "infinity"}]
        assert row[3:5] == ["9089348860800 s after 1970", "2026-01-02"]
        assert b"infinity" in _file(tx, desk, run, "csv")
        table = pq.read_table(io.BytesIO(_file(tx, desk, run, "parquet")))
    assert [table.column(name).type for name in "fg"] == [pa.string(), pa.string()]
    assert table.column("g").to_pylist() == ["1"]
    assert table.column("e").to_pylist() == [date(2026, 1, 2)]


def test_a_result_is_read_page_by_page_over_its_parts(desk: Desk) -> None:
    run = desk.ask("select range as n from range(25000)", rows_max=24_000)
    assert (run.rows, run.truncated) == (24_000, True)
    seen: list[int] = []
    offset: int | None = 0
    with desk.tx() as tx:
        while offset is not None:
            page = runs.read_page(tx, run.id, offset, 7_000)
            seen += [row[0] for row in page.rows]
            offset = page.next
        assert runs.read_page(tx, run.id, 50_000, 10).rows == []
    assert seen == list(range(24_000))


def test_the_same_question_again_is_answered_from_the_first_run(desk: Desk) -> None:
    statement = "select count(*) + 1 as again from orders"
    first = desk.ask(statement)
    again = desk.ask(statement)
    assert (again.id, again.cached) == (first.id, True)
    assert desk.ask(statement, fresh=True).id != first.id
    assert desk.ask(statement, Role.RISK_ANALYST).id != first.id


@pytest.mark.parametrize(
    ("statement", "says", "position"),
    [
        ("", "no statement", None),
        ("select 1; select 2", "one statement", None),
        ("drop table orders", "Only SELECT", 0),
        ("select 1 +", "cannot be read", 9),
        ("select *\nfrom orders whre x = 1 1", "line 2", None),
        ("select 'open", "cannot be read", None),
        ("select 1 \x00", "NUL", 9),
        ("select " + "(" * 4000 + "1" + ")" * 4000, "deep", None),
        ("select '" + "x" * 60_000 + "'", "characters", None),
    ],
)
def test_what_is_no_question_is_refused_before_it_runs(
    desk: Desk, statement: str, says: str, position: int | None
) -> None:
    with desk.tx() as tx, pytest.raises(StatementRefused, match=says) as refused:
        runs.submit(tx, NewRun(statement=statement))
    if position is not None:
        assert refused.value.members["position"] == position


def test_a_mistake_is_told_with_its_place(desk: Desk) -> None:
    statement = "select count(*),\n  amount_mynor\nfrom orders"
    run = desk.ask(statement)
    assert (run.state, run.problem) == (RunState.FAILED, "sql-failed")
    assert "amount_mynor" in run.error
    assert run.position == statement.index("amount_mynor")
    with desk.tx() as tx, pytest.raises(NotFinished):
        runs.read_page(tx, run.id, 0, 1)


def test_parameters_are_typed_values_and_never_text_of_the_statement(desk: Desk) -> None:
    kinds = (
        ParameterDefinition(name="since", kind=ParameterKind.DATE),
        ParameterDefinition(name="country", kind=ParameterKind.TEXT, default="GB"),
        ParameterDefinition(name="least", kind=ParameterKind.NUMBER, default=0),
    )
    statement = (
        "select count(*) from orders where occurred_at >= :since and country = :country and amount_minor >= :least"
    )
    assert desk.rows(statement, kinds=kinds, parameters={"since": "2026-01-01"}) == [[20]]
    assert desk.rows(statement, kinds=kinds, parameters={"since": "2026-01-01", "least": 100}) == [[10]]
    evil = "GB' or 'a' = 'a"
    assert desk.rows(statement, kinds=kinds, parameters={"since": "2026-01-01", "country": evil}) == [[0]]
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "Give a value"),
        ({"since": "yesterday"}, "no date"),
        ({"since": "2026-01-01", "other": 1}, "no parameter 'other'"),
        ({"since": "2026-01-01", "least": "1 or 1"}, "no number"),
        ({"since": "2026-01-01", "least": float("inf")}, "no number"),
    ]
    for given, says in refused:
        with desk.tx() as tx, pytest.raises(CannotBeUsed, match=says):
            runs.submit(tx, NewRun(statement=statement, kinds=kinds, parameters=given))
    # What only looks like a parameter is none.
    assert desk.rows("select 'a:b' as t, [1, 2, 3][1:2] as l, '1'::int as i, {'k':1}.k as k") == [["a:b", [1, 2], 1, 1]]


def test_b05_masked_columns_tell_nothing_through_queries(desk: Desk) -> None:
    everything = desk.rows("select customer_id, full_name, email from customer_profiles order by event_id")
    assert everything[0][0].startswith("****3344~")
    assert everything[0][1:] == ["****ntos", "m***@example.com"]
    for condition in (
        "full_name like 'Maria%'", "email = 'maria@example.com'", "customer_id = 'CUST-0011223344'",
        "starts_with(email, 'ma')", "sha256(email) = sha256('maria@example.com')", "length(full_name) = 18",
    ):  # fmt: skip
        assert desk.rows(f"select count(*) from customer_profiles where {condition}") == [[0]]
    # Whoever may see no personal data at all sees that there are values, not which.
    nothing = desk.rows("select customer_id, full_name, email from customer_profiles", Role.MARKETING_MANAGER)
    assert nothing == [[None, None, None]] * 2
    # A token is the same wherever its value is, so joins and counts are right.
    assert desk.rows("select count(distinct account_id) from transactions") == [[7]]


def test_no_column_of_the_lake_is_without_a_class(desk: Desk) -> None:
    with desk.tx() as tx:
        tables = {table.name: table for table in desk.queries.tables(tx)}
    classes = {column.name: column.data_class for column in tables["customer_profiles"].columns}
    assert classes["email"] == DataClass.PERSONAL
    assert {column.name: column.shown for column in tables["customer_profiles"].columns}["customer_id"] == "token"
    assert all(column.description for column in tables["orders"].columns)
    decisions = {column.name: column for column in tables["decisions"].columns}
    assert decisions["account_count_10s"].description
    assert decisions["account_count_10s"].shown == "clear"


def test_nobody_sees_the_runs_of_others(desk: Desk, make_desk: Callable[[str], Desk]) -> None:
    run = desk.ask("select 7 as seven")
    with desk.tx(Role.RISK_ANALYST) as tx:
        for act in (runs.get_run, runs.cancel, runs.read_table):
            with pytest.raises(RunNotFound):
                act(tx, run.id)
    other = make_desk("other")
    with other.tx() as tx, pytest.raises(RunNotFound):
        runs.get_run(tx, run.id)


def test_a_result_is_not_shown_under_another_role(desk: Desk) -> None:
    run = desk.ask("select full_name from customer_profiles")
    mine = desk.actor()
    with desk.firm.tx(type(mine)(kind="user", id=mine.id, name=mine.name, role=Role.MARKETING_MANAGER.value)) as tx:
        with pytest.raises(ResultGone, match="role"):
            runs.read_page(tx, run.id, 0, 1)
        with pytest.raises(ResultGone, match="role"):
            runs.export(tx, desk.settings, PROPOSAL_KINDS, run.id, "csv")


def test_c04_a_run_is_cancelled_and_its_place_is_free(desk: Desk) -> None:
    run = desk.ask("select count(*) from range(100000000000)", wait_s=0.0)
    assert run.state in (RunState.QUEUED, RunState.RUNNING)
    with desk.tx() as tx:
        assert runs.cancel(tx, run.id).state is RunState.CANCELLED
    desk.queries.stop(str(run.id))
    deadline = time.monotonic() + 10
    while desk.queries._stops and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not desk.queries._stops
    with desk.tx() as tx:
        assert runs.get_run(tx, run.id).state is RunState.CANCELLED
        assert runs.cancel(tx, run.id).state is RunState.CANCELLED


def test_c04_a_firm_and_a_person_run_a_few_at_once_and_the_rest_waits_in_line(desk: Desk) -> None:
    settings = desk.firm.settings
    with desk.tx() as tx:
        first, second, third = [runs.submit(tx, NewRun(statement=f"select {n} as n", fresh=True)) for n in range(3)]
        assert runs.claim(tx, first, settings)
        assert runs.claim(tx, second, settings)
        assert not runs.claim(tx, third, settings)  # two of one person at once
        tx.connection.rollback()


def test_c04_nobody_has_more_than_a_few_waiting(desk: Desk) -> None:
    with desk.tx(Role.CREDIT_OFFICER) as tx:
        for n in range(runs.WAITING_MAX):
            runs.submit(tx, NewRun(statement=f"select {n} as n", fresh=True))
        with pytest.raises(TooManyQueries):
            runs.submit(tx, NewRun(statement="select 'one more'", fresh=True))
        tx.connection.rollback()


def test_c04_questions_of_one_moment_are_held_to_that_together(make_desk: Callable[[str], Desk]) -> None:
    desk, together = make_desk("moment"), threading.Barrier(4)

    def ask(number: int) -> None:
        with desk.tx(Role.CREDIT_OFFICER) as tx:
            together.wait(30)
            runs.submit(tx, NewRun(statement=f"select {number} as n", fresh=True))

    with desk.tx(Role.CREDIT_OFFICER) as tx:
        for number in range(runs.WAITING_MAX - 1):
            runs.submit(tx, NewRun(statement=f"select {number} as n", fresh=True))
    with ThreadPoolExecutor(4) as pool:
        errors = [one.exception() for one in [pool.submit(ask, number) for number in range(100, 104)]]
    assert [type(error) for error in errors if error is not None] == [TooManyQueries] * 3


def test_a_run_whose_process_is_gone_ends(desk: Desk) -> None:
    with desk.tx() as tx:
        run = runs.submit(tx, NewRun(statement="select 'lost'", fresh=True))
        assert runs.claim(tx, run, desk.firm.settings)
        RunStore(tx).change(run.id, (RunState.RUNNING,), lease_until=tx.now() - timedelta(seconds=1))
        runs.forget_old(tx)
        found = runs.get_run(tx, run.id)
        assert (found.state, found.problem) == (RunState.FAILED, "sql-lost")


def test_a_result_is_kept_for_a_while(desk: Desk) -> None:
    run = desk.ask("select 'kept' as k")
    with desk.tx() as tx:
        RunStore(tx).change(run.id, (RunState.DONE,), expires_at=tx.now() - timedelta(seconds=1))
        with pytest.raises(ResultGone):
            runs.read_page(tx, run.id, 0, 1)
        runs.forget_old(tx)
        assert runs.get_run(tx, run.id).state is RunState.DONE
        assert RunStore(tx).parts(run.id, 0, 0) == []


def test_c11_an_export_holds_no_formula_and_is_in_the_trail(desk: Desk) -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\uff1d1", " =1", "plain"]
    run = desk.ask("select unnest($cells) as cell, -1.5 as number", parameters={"cells": "x"})
    assert run.state is RunState.FAILED
    listed = ", ".join(f"'{cell}'" for cell in cells)
    run = desk.ask(f"select unnest([{listed}]) as cell, -1.5::double as number")
    with desk.tx() as tx:
        text = _file(tx, desk, run, "csv").decode("utf-8-sig")
        rows = text.split("\r\n")[1:-1]
        assert all(row.endswith('"-1.5"') for row in rows)
        quoted = [row for row in rows if row.startswith("\"'")]
        assert len(quoted) == len(cells) - 1
        table = pq.read_table(io.BytesIO(_file(tx, desk, run, "parquet")))
        assert table.column("cell").to_pylist() == cells
        wanted = AuditFilter(action="sql:export", subject=show_id(runs.PREFIX, run.id))
        entries = audit.search_audit(tx, wanted, 10, None)[0]
        assert [entry.detail["rows"] for entry in entries] == [len(cells)] * 2


def test_the_lake_is_asked_as_it_was(desk: Desk) -> None:
    run = desk.ask("select count(*) from orders", as_of=datetime(2020, 1, 1, tzinfo=UTC))
    assert (run.state, run.problem) == (RunState.FAILED, "snapshot-gone")
    with pytest.raises(MomentToCome):
        desk.ask("select count(*) from orders", as_of=datetime.now(UTC) + timedelta(days=1))
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert desk.rows("select count(*) from orders", as_of=later) == [[20]]


def test_rows_show_every_type(desk: Desk) -> None:
    (row,) = desk.rows(
        "select 9007199254740993::bigint as big, 1.10::decimal(9,2) as money, 'NaN'::double as nan, null as nothing, "
        "date '2026-02-03' as day, time '10:11:12' as at, interval 90 minute as span, {'a': [1, 2]} as nested, "
        "map {'k': 1} as pairs, '\\x01\\xff'::blob as bytes, true as yes, 'a'::enum('a', 'b') as word"
    )
    assert row[:6] == ["9007199254740993", 1.1, None, None, "2026-02-03", "10:11:12"]
    assert row[7] == {"a": [1, 2]}
    assert row[9:] == ["01ff", True, "a"]


def test_columns_of_one_name_come_through(desk: Desk) -> None:
    run = desk.ask("select 1 as a, 2 as a")
    with desk.tx() as tx:
        assert runs.read_page(tx, run.id, 0, 1).rows == [[1, 2]]
        assert pq.read_table(io.BytesIO(_file(tx, desk, run, "parquet"))).column_names == ["a", "a_2"]
        with pa.ipc.open_stream(_file(tx, desk, run, "arrow")) as reader:
            assert reader.read_all().num_rows == 1


def test_empty_results_and_parts_round_trip() -> None:
    empty = pa.table({"a": pa.array([], pa.int64())})
    assert results.joined([content for _, content in results.parts_of(empty)]).equals(empty)
    assert results.rows_of(empty) == []


def test_explaining_and_laying_out(desk: Desk) -> None:
    statement = (
        "with big as (select * from transactions where amount_minor > :least) select currency, count(*) as n from big "
        "left join decisions using (event_id) group by 1 having count(*) > 2 order by n desc limit 5"
    )
    told = "\n".join(runs.explain(statement))
    for part in ("First makes 'big'", "Reads transactions", "Keeps rows where", "one row for each", "counts rows",
                 "keeping all rows of the first", "largest first", "first 5 rows"):  # fmt: skip
        assert part in told
    laid = runs.lay_out(statement)
    assert ":least" in laid
    assert "\nLEFT JOIN" in laid
    assert runs.lay_out(laid) == laid
    with pytest.raises(StatementRefused):
        runs.lay_out("select from where")


def test_unknown_runs_are_not_found(desk: Desk) -> None:
    with desk.tx() as tx, pytest.raises(RunNotFound):
        runs.get_run(tx, uuid.uuid4())
