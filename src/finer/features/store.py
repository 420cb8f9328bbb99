"""The same features as SQL, for the lake: one query over a table of events, for verification and training."""

from __future__ import annotations

from finer.features.errors import InvalidFeatureSet
from finer.features.types import ARITHMETIC, Aggregate, Entity, FeatureDefinition, FeatureSet


def lake_query(
    feature_set: FeatureSet,
    table: str,
    *,
    order: str = "offset",
    where: str | None = None,
    told: str | None = None,
) -> str:
    """A DuckDB SELECT of every feature of the events in `table`, one column per feature, beside the column `order`.

    `table` is a relation (a name, or a query in parentheses) of one tenant without duplicates, holding every column
    that the features name and the timestamp `occurred_at`; `order` is its log offset. `where` is a condition that
    picks the events to answer for (a sample); the windows see all events. Texts come as texts.

    `told` is the relation of what was told of events, for entities of that kind: `occurred_at` since when it is
    known, `order` the offset of the first event that knows it, their columns, and `weight`. Raises InvalidFeatureSet
    without it.
    """
    read = sorted(
        {column for entity in feature_set.entities for column in entity.columns}
        | {d.value for d in feature_set.definitions if d.value is not None}
        | {d.where for d in feature_set.definitions if d.where is not None}
    )
    columns = ", ".join(_quoted(name) for name in read)
    picked = f" WHERE {where}" if where else ""
    parts = [
        f"WITH history AS (SELECT {_quoted(order)} AS _o, epoch_us(occurred_at) AS _t, {columns} FROM {table})",  # noqa: S608
        f"sample AS (SELECT {_quoted(order)} AS _o, epoch_us(occurred_at) AS _t, {columns} FROM {table}{picked})",  # noqa: S608
    ]
    entities = [entity for entity in feature_set.entities if feature_set.of(entity.name)]
    parts += _told(entities, told, order)
    parts += [_entity_part(entity, feature_set.of(entity.name)) for entity in entities]
    chosen = ", ".join(f"{_quoted('_' + d.entity)}.{_quoted(d.name)}" for d in feature_set.definitions)
    joins = " ".join(
        f"LEFT JOIN {_quoted('_' + entity.name)} ON {_quoted('_' + entity.name)}._o = sample._o" for entity in entities
    )
    # Names are quoted; `table` and `where` are the caller's SQL by contract.
    return f"{', '.join(parts)} SELECT sample._o AS {_quoted(order)}, {chosen} FROM sample {joins} ORDER BY sample._o"  # noqa: S608


def _told(entities: list[Entity], relation: str | None, order: str) -> list[str]:
    """The relation of what was told, as a part of the query; none where no entity asks for it."""
    about = [entity for entity in entities if entity.told]
    if not about:
        return []
    if relation is None:
        raise InvalidFeatureSet(f"{about[0].name} holds what was told of events. Give the relation that says it.")
    stamps = f"{_quoted(order)} AS _o, epoch_us(occurred_at) AS _t, weight AS _w"
    keys = ", ".join(sorted({_quoted(column) for entity in about for column in entity.columns}))
    return [f"told AS (SELECT {stamps}, {keys} FROM {relation})"]  # noqa: S608 - the caller's SQL by contract


def _entity_part(entity: Entity, definitions: tuple[FeatureDefinition, ...]) -> str:
    if entity.told:
        return _told_part(entity, definitions)
    # Equality leaves out null keys, so their features are null in the outer join.
    keys = " AND ".join(f"h.{_quoted(column)} = s.{_quoted(column)}" for column in entity.columns)
    windows = [d.window_us for d in definitions]
    reach = ""
    if None not in windows:
        longest = max(d.delay_us + (d.window_us or 0) for d in definitions)
        reach = f" AND h._t <= s._t AND h._t > s._t - {longest}"
    features = ", ".join(f"{_expression(d)} AS {_quoted(d.name)}" for d in definitions)
    return (
        f"{_quoted('_' + entity.name)} AS (SELECT s._o, {features} FROM sample s "  # noqa: S608
        f"JOIN history h ON {keys} AND h._o <= s._o{reach} GROUP BY s._o, s._t)"
    )


def _told_part(entity: Entity, definitions: tuple[FeatureDefinition, ...]) -> str:
    keys = " AND ".join(f"h.{_quoted(column)} = s.{_quoted(column)}" for column in entity.columns)
    known = " AND ".join(f"s.{_quoted(column)} IS NOT NULL" for column in entity.columns)
    reach = f"h._t <= s._t AND h._t > s._t - {max(d.window_us or 0 for d in definitions)}"
    features = ", ".join(
        f"coalesce(sum(h._w) FILTER (WHERE {_inside(d)}), 0)::DOUBLE AS {_quoted(d.name)}" for d in definitions
    )
    return (
        f"{_quoted('_' + entity.name)} AS (SELECT s._o, {features} FROM sample s "  # noqa: S608
        f"LEFT JOIN told h ON {keys} AND h._o <= s._o AND {reach} WHERE {known} GROUP BY s._o, s._t)"
    )


def _expression(definition: FeatureDefinition) -> str:
    aggregate = definition.aggregate
    number, scale = _value(definition)
    inside = _inside(definition)
    if aggregate is Aggregate.COUNT:
        return f"count(*) FILTER (WHERE {inside})::DOUBLE"
    if aggregate is Aggregate.DISTINCT:
        return f"count(DISTINCT {number}) FILTER (WHERE {inside})::DOUBLE"
    if aggregate is Aggregate.SUM:
        return f"coalesce(sum({number}) FILTER (WHERE {inside}), 0)::DOUBLE / {scale}"
    if aggregate is Aggregate.MEAN:
        return f"sum({number}) FILTER (WHERE {inside})::DOUBLE / count(*) FILTER (WHERE {inside}) / {scale}"
    if aggregate is Aggregate.STDDEV:
        return f"stddev_samp({number}) FILTER (WHERE {inside}) / {scale}"
    if aggregate in (Aggregate.MIN, Aggregate.MAX):
        return f"{aggregate.value}({number}) FILTER (WHERE {inside})::DOUBLE / {scale}"
    return _picked(definition, number, scale, inside)


def _picked(definition: FeatureDefinition, value: str, scale: str, inside: str) -> str:
    """Aggregates that give one event's value or time."""
    aggregate = definition.aggregate
    order = "h._o" if definition.window is None else "h._t, h._o"
    before = aggregate in (Aggregate.PREVIOUS, Aggregate.TIME_SINCE_PREVIOUS)
    if before:
        inside += " AND h._o < s._o"
    choose = "first" if aggregate is Aggregate.FIRST else "last"
    when = f"{choose}(h._t ORDER BY {order}) FILTER (WHERE {inside})"
    if aggregate is Aggregate.TIME_SINCE_PREVIOUS:
        found = f"(s._t - {when}) * 1e-6"
    else:
        found = f"{choose}({value} ORDER BY {order}) FILTER (WHERE {inside})"
        if not definition.is_text:
            found = f"{found}::DOUBLE / {scale}"
    if before and definition.window is None:
        return f"CASE WHEN {when} <= s._t THEN {found} END"
    return found


def _value(definition: FeatureDefinition) -> tuple[str, str]:
    """The value as the stream keeps it, and what a result is divided by."""
    if definition.value is None:
        return "NULL", "1"
    column = f"h.{_quoted(definition.value)}"
    if definition.decimals:
        return f"round_even({column} * 1e{definition.decimals}, 0)::BIGINT", f"1e{definition.decimals}"
    if definition.decimals == 0 or definition.aggregate in ARITHMETIC:
        return f"{column}::BIGINT", "1"
    return column, "1"


def _inside(definition: FeatureDefinition) -> str:
    terms = []
    if definition.window_us is not None:
        end = f"s._t - {definition.delay_us}" if definition.delay else "s._t"
        terms.append(f"h._t <= {end} AND h._t > {end} - {definition.window_us}")
    if definition.where is not None:
        terms.append(f"h.{_quoted(definition.where)}")
    if definition.value is not None:
        terms.append(f"h.{_quoted(definition.value)} IS NOT NULL")
    return " AND ".join(terms) or "true"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
