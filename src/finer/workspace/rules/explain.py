"""A question in plain words: what it reads, keeps, groups, computes and orders."""

from __future__ import annotations

from sqlglot import exp

from finer.workspace.rules.statements import DIALECT, read_question, tables_of, texts

_AGGREGATES = {
    exp.Count: "counts", exp.Sum: "adds up", exp.Avg: "takes the mean of", exp.Min: "takes the smallest",
    exp.Max: "takes the largest", exp.Median: "takes the median of", exp.Stddev: "takes the spread of",
}  # fmt: skip
_JOINS = {"LEFT": "keeping all rows of the first", "RIGHT": "keeping all rows of the second", "FULL": "keeping all"}
_SETS: dict[type[exp.Expr], str] = {
    exp.Union: "Puts together",
    exp.Intersect: "Keeps what is in both of",
    exp.Except: "Takes the second away from the first of",
}
_SHOWN_MAX = 160


def explain(statement: str) -> list[str]:
    """Sentences about a question, in the order in which it is worked off. Raises StatementRefused."""
    tree = read_question(statement)
    if not isinstance(tree, exp.Query):
        return [f"Describes {texts(tables_of(tree)) or 'the tables of the lake'}: columns, types or their statistics."]
    found = []
    for cte in tree.find_all(exp.CTE):
        found += [f"First makes {cte.alias_or_name!r}:", *(f"  {one}" for one in _query(cte.this))]
    return found + _query(tree)


def _query(query: exp.Expr) -> list[str]:
    if isinstance(query, exp.SetOperation):
        word = _SETS.get(type(query), "Combines")
        return [f"{word}:", *(f"  {one}" for side in (query.left, query.right) for one in _query(side))]
    if not isinstance(query, exp.Select):
        return [f"Reads {_short(query)}."]
    args = query.args
    found = [_reads(query)]
    if (where := args.get("where")) is not None:
        found.append(f"Keeps rows where {_short(where.this)}.")
    found += _grouped(query)
    found += [f"Of these keeps only where {_short(args[one].this)}." for one in ("having", "qualify") if args.get(one)]
    if args.get("distinct") is not None:
        found.append("Leaves out rows that are there already.")
    if (order := args.get("order")) is not None:
        found.append(f"Orders by {texts(_order(one) for one in order.expressions)}.")
    if (limit := args.get("limit")) is not None:
        found.append(f"Returns the first {_short(limit.expression)} rows.")
    return found


def _grouped(query: exp.Select) -> list[str]:
    found, group = [], query.args.get("group")
    if group is not None:
        everything = group.args.get("all")
        by = "everything that is not computed" if everything else texts(_short(one) for one in group.expressions)
        found.append(f"Makes one row for each {by}.")
    if computed := _computed(query):
        found.append(f"For {'each of them' if group is not None else 'all rows together'} {texts(computed)}.")
    return found


def _reads(query: exp.Select) -> str:
    source = query.args.get("from_") or query.args.get("from")
    if source is None:
        return "Computes values, and reads no table."
    text = f"Reads {_short(source.this)}"
    for join in query.args.get("joins") or ():
        how = _JOINS.get(str(join.side or "").upper(), "keeping rows that match")
        on = join.args.get("on")
        using = join.args.get("using")
        by = f" on {_short(on)}" if on is not None else f" by {texts(_short(one) for one in using)}" if using else ""
        text += f", joins {_short(join.this)}{by} ({how})" if by else f", combines every row with {_short(join.this)}"
    return f"{text}."


def _computed(query: exp.Select) -> list[str]:
    found = []
    for one in query.expressions:
        for call in one.find_all(exp.AggFunc):
            word = next((text for kind, text in _AGGREGATES.items() if isinstance(call, kind)), "computes")
            inside = "rows" if isinstance(call.this, exp.Star) or call.this is None else _short(call.this)
            found.append(f"{word} {inside}" if word != "computes" else f"computes {_short(call)}")
    return list(dict.fromkeys(found))


def _order(ordered: exp.Expr) -> str:
    if not isinstance(ordered, exp.Ordered):
        return _short(ordered)
    return f"{_short(ordered.this)}, {'largest first' if ordered.args.get('desc') else 'smallest first'}"


def _short(node: exp.Expr) -> str:
    text: str = node.sql(dialect=DIALECT)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
