"""The condition language: what conditions mean, what is refused and where, and how they read."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from finer.kit.columns import Columns
from finer.kit.conditions.condition import parse_condition, parse_expression, plain_language
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.kit.hashing import hash_text

NUMBER, TEXT, BOOLEAN, TIMESTAMP = ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.TIMESTAMP
CATALOGUE = Catalogue(
    {
        "amount": NUMBER,
        "ratio": NUMBER,
        "account.count_10s": NUMBER,
        "merchant_name": TEXT,
        "type": TEXT,
        "account.previous_country": TEXT,
        "is_small": BOOLEAN,
        "occurred_at": TIMESTAMP,
    },
    descriptions={"account.count_10s": "the number of payments in 10 seconds"},
    hashed=frozenset({"account.previous_country"}),
)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
NAN, INFINITY = float("nan"), float("inf")


def evaluate(text: str, **row: Any) -> Any:
    """The value of an expression over one record, which the three back ends must agree on."""
    kinds = {NUMBER: pa.float64(), TEXT: pa.string(), BOOLEAN: pa.bool_(), TIMESTAMP: pa.timestamp("us", "UTC")}
    table = pa.table({name: pa.array([row.get(name)], kinds[kind]) for name, kind in CATALOGUE.columns.items()})
    expression = parse_expression(text, CATALOGUE)
    columns = Columns(table.to_batches()[0])
    values, valid = expression.values(columns)
    stream = None if valid is not None and not valid[0] else values[0].item()
    if expression.type is TEXT and stream is not None:
        stream = expression.strings(columns)[0].as_py()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    batch = frame.with_columns(expression.polars().alias("result"))["result"][0]
    lake = duckdb.connect()
    lake.register("records", table)
    stored = lake.execute(f"select {expression.duckdb()} from records").fetchall()[0][0]
    assert stream == batch == stored, (stream, batch, stored)
    return stream


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("7 / 2", {}, 3.5),
        ("amount / ratio", {"amount": 1, "ratio": 0}, None),
        ("amount % ratio", {"amount": 1, "ratio": 0}, None),
        ("amount % 3", {"amount": -7}, -1),
        ("amount / 2.5", {"amount": 3}, 1.2),
        ("amount * 10", {"amount": 1e308}, INFINITY),
        ("amount - amount", {"amount": INFINITY}, None),
        ("amount > 800", {"amount": NAN}, None),
        ("amount > 800", {"amount": INFINITY}, True),
        ("amount is null", {"amount": NAN}, True),
        ("amount <> 1", {"amount": NAN}, None),
        ("not amount > 800", {"amount": None}, None),
        ("amount > 1 and is_small", {"amount": None, "is_small": False}, False),
        ("amount > 1 or is_small", {"amount": None, "is_small": True}, True),
        ("amount in (1, null)", {"amount": 1}, True),
        ("amount not in (1, null)", {"amount": 2}, None),
        ("amount between 1 and ratio", {"amount": 0}, False),
        ("amount = 9007199254740993", {"amount": 2.0**53}, True),
        ("round(amount)", {"amount": -2.5}, -3),
        ("round(amount)", {"amount": 0.49999999999999994}, 0),
        ("round(amount, 2)", {"amount": 10.006}, 10.01),
        ("least(amount, ratio, 5)", {"amount": None, "ratio": 7}, 5),
        ("coalesce(amount, ratio, 5)", {"amount": None, "ratio": NAN}, 5),
        ("case when amount > 1 then 'high' when ratio > 1 then 'steep' end", {"ratio": 2}, "steep"),
        ("case when amount > 1 then 1 else 2 end", {}, 2),
        ("length(merchant_name)", {"merchant_name": "Ä🙂"}, 2),
        ("lower(merchant_name)", {"merchant_name": "ÄB"}, "Äb"),
        ("merchant_name = ''", {"merchant_name": ""}, True),
        ("trim(merchant_name)", {"merchant_name": " \tä b\r\n"}, "ä b"),
        ("number(merchant_name)", {"merchant_name": "-12.50"}, -12.5),
        ("number(merchant_name)", {"merchant_name": "1,5"}, None),
        ("number(merchant_name)", {"merchant_name": "12345678901234567"}, None),
        ("number(replace(merchant_name, ',', '')) > 1000", {"merchant_name": "1,234"}, True),
        ("replace(merchant_name, 'ä', '$1')", {"merchant_name": "ää"}, "$1$1"),
        ("concat(substring(merchant_name, 7, 4), '-', substring(merchant_name, 4, 2))",
         {"merchant_name": "31/12/2026"}, "2026-12"),
        ("concat(merchant_name, 'x')", {"merchant_name": None}, None),
        ("merchant_name < 'b'", {"merchant_name": "B"}, True),
        ("merchant_name like 'a_c%'", {"merchant_name": "a\ncd"}, True),
        ("merchant_name like '100\\%'", {"merchant_name": "100\\ off"}, True),
        ("merchant_name not like '%x%'", {"merchant_name": None}, None),
        ("starts_with(merchant_name, '100%')", {"merchant_name": "100% off"}, True),
        ("is_small <> true", {"is_small": False}, True),
        ("hour(occurred_at)", {"occurred_at": datetime(1969, 12, 31, 23, 59, tzinfo=UTC)}, 23),
        ("dayofweek(occurred_at)", {"occurred_at": FEBRUARY}, 0),
        ("occurred_at > timestamp '2026-02-01 08:00:00+08:00'", {"occurred_at": FEBRUARY}, False),
        ("occurred_at + interval '30 days' > date '2026-03-01'", {"occurred_at": FEBRUARY}, True),
        ("amount > 1 -- a comment", {"amount": 2}, True),
    ],
)  # fmt: skip
def test_an_expression_has_the_documented_value(text: str, row: dict[str, Any], expected: Any) -> None:
    assert evaluate(text, **row) == expected


def test_patterns_mean_what_like_means_in_duckdb() -> None:
    texts = ["", "a", "ab", "abc", "a%c", "a_c", "a\\c", "x\ny", "É", "%", "aXbXc", "(a)"]
    lake = duckdb.connect()
    columns = Columns(pa.RecordBatch.from_pydict({"merchant_name": texts}))
    for pattern in [
        "",
        "%",
        "_",
        "a%",
        "%c",
        "%b%",
        "a_c",
        "a%c",
        "_%",
        "%_%_",
        "x_y",
        "a\\c",
        "%X%X%",
        "(a)",
        "%%",
        "__",
    ]:
        condition = parse_condition(f"merchant_name like '{pattern}'", CATALOGUE)
        expected = [lake.execute("select ? like ?", [text, pattern]).fetchall()[0][0] for text in texts]
        assert condition.mask(columns).tolist() == expected, pattern


def test_a_condition_that_is_null_does_not_hold() -> None:
    columns = Columns(pa.RecordBatch.from_pydict({"amount": [1.0, None, 900.0]}))
    for text, expected in (("amount > 800", [False, False, True]), ("not amount > 800", [True, False, False])):
        condition = parse_condition(text, CATALOGUE)
        assert condition.mask(columns).tolist() == expected
        assert condition.values(columns)[0].tolist() == expected
        frame = pl.DataFrame({"amount": [1.0, None, 900.0]})
        assert frame.select(condition.polars()).to_series().to_list() == expected
        rows = duckdb.sql(f"select {condition.duckdb()} from (values (1), (null), (900)) as records(amount)").fetchall()
        assert [row[0] for row in rows] == expected


def test_conditions_know_their_columns_and_text() -> None:
    condition = parse_condition("amount>800  AND account . count_10s > 3", CATALOGUE)
    assert condition.columns == {"amount", "account.count_10s"}
    assert condition.text == "amount>800  AND account . count_10s > 3"
    assert condition.canonical == "amount > 800 and account.count_10s > 3"
    assert parse_expression("lower(type)", CATALOGUE).type is TEXT


def test_columns_that_are_only_hashes_can_be_compared() -> None:
    columns = Columns(pa.RecordBatch.from_pydict({"type": ["PH", "US", None, "JP"]}))
    columns.add_hashes("account.previous_country", np.array([hash_text("PH"), hash_text("JP"), 0, 0], np.uint64))
    assert parse_condition("type <> account.previous_country", CATALOGUE).mask(columns).tolist() == [
        False, True, False, False,
    ]  # fmt: skip
    in_list = parse_condition("account.previous_country not in ('PH', 'SG')", CATALOGUE)
    assert in_list.mask(columns).tolist() == [False, True, False, False]
    for text in ("account.previous_country like 'P%'", "account.previous_country < 'X'",
                 "length(coalesce(account.previous_country, type)) = 2"):  # fmt: skip
        with pytest.raises(ConditionError, match=r"account\.previous_country cannot"):
            parse_condition(text, CATALOGUE)


def test_text_that_was_cut_out_of_a_longer_column_changes_case() -> None:
    # pyarrow's own kernel returns NUL bytes for this column.
    names = pa.array(["Abc", "It's", "Xyz"], pa.large_string()).slice(1)
    columns = Columns(pa.RecordBatch.from_arrays([names], ["merchant_name"]))
    assert parse_condition("upper(lower(merchant_name)) = 'IT''S'", CATALOGUE).mask(columns).tolist() == [True, False]


def test_no_record_and_no_column_are_fine() -> None:
    empty = Columns(pa.RecordBatch.from_pydict({"amount": pa.array([], pa.float64())}))
    assert parse_condition("amount > 1 or true", CATALOGUE).mask(empty).tolist() == []
    one = Columns(pa.RecordBatch.from_pydict({"amount": [1.0]}))
    assert parse_condition("1 < 2", CATALOGUE).mask(one).tolist() == [True]
    assert parse_expression("'a'", CATALOGUE).strings(one).to_pylist() == ["a"]


def test_the_size_of_compiled_conditions_grows_with_the_text_only() -> None:
    deep = "amount"
    for _ in range(20):
        deep = f"1 / ({deep} % ratio)"
    expression = parse_expression(deep, CATALOGUE)
    assert len(expression.duckdb()) < 20_000
    values, valid = expression.values(Columns(pa.RecordBatch.from_pydict({"amount": [7.5], "ratio": [2.0]})))
    frame = pl.DataFrame({"amount": [7.5], "ratio": [2.0]})
    found = frame.select(expression.polars()).item()
    assert found == (values[0] if valid is None else None)


@pytest.mark.parametrize(
    ("text", "position", "message", "hint"),
    [
        ("amnt > 3", 0, "There is no column amnt", "Did you mean amount?"),
        ("amount > 3 and Amount < 5", 15, "There is no column Amount", "Did you mean amount?"),
        ("amount > 3\n  and zzzz = 1", 17, "There is no column zzzz", "catalogue"),
        ("amount > 'x'", 9, "'x' is a text; the other side of > needs a number", "without quotes"),
        ("merchant_name = 5", 16, "5 is a number; the other side of = needs a text", "single quotes"),
        ("occurred_at > '2026-01-01'", 14, "needs a timestamp", "Write timestamp '2026-01-01'."),
        ("merchant_name + 1 > 2", 0, "merchant_name is a text; the operator + needs a number", ""),
        ("amount", 0, "amount is a number; something true or false is needed", "Compare it"),
        ("amount > 1 and type", 15, "type is a text; something true or false is needed", "Compare it"),
        ("is_small > false", 0, "True and false are compared with = true or = false only", ""),
        ("sum(amount) > 3", 0, "There is no function sum", "features"),
        ("frobnicate(amount) > 3", 0, "There is no function frobnicate", "coalesce"),
        ("amount > (select 1)", 10, "select is not part of the condition language", "tables"),
        ("amount::int > 3", 6, ":: is not part of the condition language", "not converted"),
        ("cast(amount as int) > 3", 0, "There is no function cast", "not converted"),
        ("abs(amount) over () > 3", 12, "There is no function over", "features"),
        ("amount > 3; drop table x", 10, "; is not part of the condition language", "semicolon"),
        ("amount > 1 amount", 11, "cannot be read at amount", ""),
        ("amount >", 7, "Something is missing after >", ""),
        ("(amount > 1", 0, "This ( is never closed", "Add )."),
        ("amount > 1)", 10, "This ) closes nothing", "Remove it."),
        ("merchant_name = 'it''s", 16, "quote or comment is not closed", ""),
        ("amount in ()", 0, "A list of values must follow in", ""),
        ("amount in (ratio)", 0, "fixed values only", "or"),
        ("amount / 0 > 1", 9, "A division by zero has no value", ""),
        ("amount > 1e999", 9, "1e999 is not a number", ""),
        ("merchant_name like type", 19, "A text in quotes must follow like", ""),
        ("merchant_name ilike 'a'", 14, "cannot be read at ilike", "lower(name)"),
        ("occurred_at > timestamp 'yesterday'", 14, "This timestamp cannot be read", "2026"),
        ("occurred_at + interval '1 month' > occurred_at", 14, "This interval cannot be read", "30 days"),
        ("round(amount, 99) > 1", 14, "round takes 0 to 9 digits", ""),
        ("least(type, 'a') = 'a'", 0, "least takes numbers or timestamps", ""),
        ("case when amount > 1 then 1 else 'a' end > 1", 33, "every branch of this case needs a number", ""),
        ("abs(amount, 1) > 1", 0, "abs takes 1 argument, not 2", ""),
        ("amount is true", 0, "Only null follows is", "= true"),
        ("case amount when 1 then true end", 5, "Conditions must follow when", "case when a = 1"),
        ("is_small in (true)", 0, "not looked up in a list", "= true"),
        ("is_small between true and false", 0, "True and false have no order", ""),
        ("is_small = is_small", 0, "compared with = true or = false only", ""),
        ("occurred_at > interval '1 day'", 14, "An interval can only be added", ""),
        ("-merchant_name > 1", 1, "the minus sign needs a number", ""),
        ("round(amount, 1.5) > 1", 14, "round takes 0 to 9 digits", ""),
        ("", 0, "The condition is empty", "amount > 800"),
        ("amount > 1" + " " * 4000, 0, "4010 characters; 4000 is the limit", ""),
        ("(" * 30 + "is_small" + ")" * 30, 24, "nested too deeply", ""),
        ("amount" + " + amount" * 100 + " > 1", 0, "nested too deeply", ""),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, position: int, message: str, hint: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, CATALOGUE)
    error = caught.value
    assert message in error.message
    assert hint in error.hint
    assert error.position == position
    assert error.line == text[:position].count("\n") + 1
    problem = error.problem()
    assert problem["status"] == 422
    assert (problem["position"], problem["line"], problem["column"]) == (error.position, error.line, error.column)


HOSTILE = [
    "(" * 3000, ")" * 3000, "not " * 900 + "is_small", "- " * 1500 + "amount > 1", "x" + " or x" * 100_000,
    "case when " * 300, "abs(" * 900, "amount" + " = amount" * 400, "type" + " like 'x'" * 400, "'" * 3999, '"' * 3999,
    "/*" * 1500, "\0", "amount > 1\0", "\ud800 > 1", "type = '\udfff'", "." * 3999, "9" * 3999 + " > amount",
    "1e" + "9" * 3000, "\u202eamount > 1", "amount \u2265 1", "{{ amount }}", "{% if x %}", "/*+ hint */", "$$a$$",
    "@@version", "E'\\x' = type", "x'41' = type", "else + then null like when", "timestamp", "timestamp()", "-- ",
    "interval '1 day'", "null.null", "''.''", "amount > ?", "amount > :x", "amount => 1", "amount[1] > 1", "* > 1",
    "(amount, amount) = (1, 1)", "exists (select 1)", "amount between 1", "case end", "amount is not",
    "abs(distinct amount) > 1", "abs(amount order by amount) > 1",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text, CATALOGUE)


def test_random_words_are_conditions_or_condition_errors() -> None:
    words = [
        *"()(),+-*/%=<>.;", "amount", "type", "is_small", "occurred_at", "and", "or", "not", "in", "is", "null", "true",
        "between", "like", "case", "when", "then", "else", "end", "timestamp", "interval", "abs", "round", "coalesce",
        "'2026-01-01'", "'1 day'", "1", "2.5", "::", "[", "--", "/*", "*/", "select", "\n", "||", "distinct", "é",
    ]  # fmt: skip
    draw = random.Random(20260131)
    understood = 0
    for _ in range(1200):
        text = " ".join(draw.choice(words) for _ in range(draw.choice([2, 3, 5, 12, 60])))
        try:
            expression = parse_expression(text, CATALOGUE)
        except ConditionError:
            continue
        understood += 1
        assert parse_expression(expression.canonical, CATALOGUE).tree == expression.tree
    assert understood > 3


def test_long_chains_are_one_level() -> None:
    columns = Columns(pa.RecordBatch.from_pydict({"amount": [3.0, 500.0]}))
    text = " or ".join(f"amount = {number}" for number in range(250))
    condition = parse_condition(text, CATALOGUE)
    assert condition.mask(columns).tolist() == [True, False]
    assert pl.DataFrame({"amount": [3.0, 500.0]}).select(condition.polars()).to_series().to_list() == [True, False]
    rows = duckdb.sql(f"select {condition.duckdb()} from (values (3), (500)) as records(amount)").fetchall()
    assert rows == [(True,), (False,)]


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("amount > 800 and account.count_10s > 3", "amount is above 800 and account.count_10s is above 3"),
        ("type in ('pos', 'atm', 'web')", 'type is "pos", "atm" or "web"'),
        ("type not in ('pos')", 'type is not "pos"'),
        ("amount between 1 and 2 or is_small", "amount is between 1 and 2 or is_small is true"),
        ("merchant_name not like 'ACME%'", 'merchant_name does not start with "ACME"'),
        ("merchant_name like '%x%'", 'merchant_name contains "x"'),
        ("merchant_name not like '%x%'", 'merchant_name does not contain "x"'),
        ("merchant_name not like 'a_b'", 'merchant_name does not match "a_b"'),
        ("amount is not null and not is_small", "amount is not missing and is_small is false"),
        ("not (amount > 1)", "it is not so that amount is above 1"),
        ("occurred_at >= timestamp '2026-01-31'", "occurred_at is at or after 2026-01-31 00:00:00 UTC"),
        ("occurred_at - interval '48 hours' < occurred_at", "(occurred_at minus 2 days) is before occurred_at"),
        ("amount * 2 > -5", "(amount times 2) is above -5"),
        ("least(amount, ratio) < 1", "the smallest of amount and ratio is below 1"),
        ("coalesce(amount, 0) = 0", "amount, or if missing 0 is 0"),
        ("case when is_small then 1 else null end = 1", "(1 when is_small is true, otherwise missing) is 1"),
        ("hour(occurred_at) < 5", "the hour of occurred_at is below 5"),
        ("starts_with(type, 'a')", 'type starts with "a"'),
        ("number(trim(type)) = 1", "type without blanks around it as a number is 1"),
        ("replace(type, '/', '-') = 'a'", 'type with "-" for every "/" is "a"'),
        ("concat(type, 'x') = substring(type, 1, 2)",
         'type and "x" joined is 2 characters of type from character 1 on'),
        ("(amount > 1 or is_small) and amount < 9 and ratio = 1",
         "(amount is above 1 or is_small is true), amount is below 9 and ratio is 1"),
    ],
)  # fmt: skip
def test_conditions_read_as_sentences(text: str, reading: str) -> None:
    assert plain_language(parse_condition(text, CATALOGUE)) == reading


def test_descriptions_stand_for_names() -> None:
    condition = parse_condition("account.count_10s > 3", CATALOGUE)
    assert plain_language(condition, CATALOGUE) == "the number of payments in 10 seconds is above 3"
    told = replace(CATALOGUE, descriptions={"is_small": "the amount is small"})
    assert [plain_language(parse_condition(each, told), told) for each in (
        "is_small and amount > 1", "not is_small", "is_small is null",
    )] == [
        "the amount is small and amount is above 1", "the amount is not small",
        "whether the amount is small is missing",
    ]  # fmt: skip
