"""The same sums, and what waits, as SQL over one firm's lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finer.operations.types.sums import Grain, Measured

TABLES = {"activity": "activities", "order": "orders", "transaction": "transactions"}

# The last thing that happened to each order, by stage: a line that comes back closes what it names. Orders that were
# placed longer ago than is looked at are nobody's surprise any more.
_LAST = """
with lines as (
  select order_id, type, occurred_at, coalesce(country, '') as region, currency, amount_minor from orders
  where occurred_at >= $since and type <> 'adjustment'),
last as (
  select order_id, max(occurred_at) as since, arg_max(type, (occurred_at, case type when 'placed' then 0
      when 'paid' then 1 when 'shipped' then 2 when 'delivered' then 3 else 4 end)) as stage,
    arg_max(region, occurred_at) as region, arg_max(currency, occurred_at) as currency
  from lines group by order_id)
"""
AGES = f"""
{_LAST}
select stage, count(*) as orders, list_position(
    list_transform($edges, e -> epoch_us(since) > epoch_us($now) - e::bigint * 1000000), true) as place
from last where stage in ('placed', 'paid', 'shipped') group by stage, place
"""  # noqa: S608 - nothing but our own text
STUCK = f"""
{_LAST},
late as (
  select last.* from last join (select unnest($stages) as stage, unnest($before) as before) as s using (stage)
  where since < s.before),
counted as (select *, count(*) over (partition by stage) as waiting from late)
select l.order_id, l.stage, l.since, l.region, l.currency, l.waiting, count(*) as lines, sum(n.amount_minor) as amount
from (select * from counted qualify row_number() over (partition by stage order by since) <= $limit) as l
join lines as n on n.order_id = l.order_id and n.type = l.stage
group by all order by l.since
"""  # noqa: S608 - nothing but our own text
PASSAGES = """
with firsts as (
  select order_id, type, min(occurred_at) as at from orders where occurred_at >= $since group by order_id, type),
steps(here, next) as (values ('placed', 'paid'), ('paid', 'shipped'), ('shipped', 'delivered'))
select steps.here as stage, count(*) as orders, quantile_cont(epoch(b.at) - epoch(a.at), 0.95) as usual_s
from steps join firsts a on a.type = steps.here join firsts b on b.order_id = a.order_id and b.type = steps.next
where b.at >= a.at group by 1
"""

# A session is where its first action was, and goes on from before what is looked at: a day earlier is read for that.
SESSIONS = """
with visits as (
  select session_id, min(occurred_at) as began, max(occurred_at) as ended, count(*) as actions,
    arg_min(coalesce(country, ''), occurred_at) as region, arg_min(coalesce(channel, ''), occurred_at) as channel,
    bool_or(kind = 'purchase') as purchased, bool_or(kind in ('checkout', 'purchase')) as checked_out,
    bool_or(kind in ('add_to_cart', 'checkout', 'purchase')) as added,
    bool_or(kind in ('product_view', 'add_to_cart', 'checkout', 'purchase')) as viewed
  from activities where occurred_at >= $looked group by session_id)
select to_timestamp(epoch_us(began) // 3600000000 * 3600) as bucket,
  case when region = '' or list_contains($regions::varchar[], region) then region else $other end as region,
  case when channel = '' or list_contains($channels::varchar[], channel) then channel else $other end as channel,
  count(*) as sessions, count(*) filter (viewed) as viewed, count(*) filter (added) as added,
  count(*) filter (checked_out) as checked_out, count(*) filter (purchased) as purchased,
  count(*) filter (actions = 1) as single, sum(epoch_us(ended) - epoch_us(began))::bigint // 1000000 as seconds
from visits where began >= $since and began < $until group by 1, 2, 3
"""


def sums(
    contract: str,
    measured: Measured,
    partitions: Mapping[int, tuple[int, int]],
    step_s: int | None,
    by: Sequence[str] = (),
) -> str:
    """Records, quantity, amount and what is known of costs by kind, status, currency, and by bucket of `step_s`.

    One bucket for all where that is None.

    `partitions` says from which offset on, and before which, records count. With a step, `$buckets` are the seconds
    since 1970 at which the wanted buckets begin. Of the dimensions `by` (region, channel, product) `$region` and so on
    are the values that are counted by themselves, and `$other` stands for all others.
    """
    begins = "0" if step_s is None else f"(epoch_us(occurred_at) // {step_s * 1_000_000}) * {int(step_s)}"
    chosen = "" if step_s is None else " and begins in (select unnest($buckets))"
    return f"""
select {begins} as begins, coalesce({measured.kind}, '') as kind, {_text(measured.status)} as status,
  {_text(measured.currency)} as currency, {"".join(_label(measured, one) for one in by)}count(*) as records,
  coalesce(sum({measured.quantity or 0}), 0) as quantity, coalesce(sum({measured.amount or 0}), 0) as amount,
  {_costs(measured, ("costed", "costed_amount", "cost"))}
from {_table(contract, measured)} where ({_between(partitions)}){chosen}
group by all
"""  # noqa: S608 - our own names and numbers


def groups(contract: str, measured: Measured, grain: Grain, ends: Mapping[int, int]) -> str:
    """What records before the end of their partition add up to, in columns as `Groups` has them.

    From `$minutes` on by minute, from `$hours` on by hour, and by day before. Of products no minutes are kept.
    """
    place = grain is Grain.PLACE
    by_minute = "when occurred_at >= $minutes::timestamptz and $place then epoch_us(occurred_at) // 60000000"
    until = " or ".join(
        f"(log_partition = {int(partition)} and log_offset < {int(end)})" for partition, end in ends.items()
    )
    return f"""
select (case {by_minute.replace("$place", str(place).lower())}
    when occurred_at >= $hours::timestamptz then epoch_us(occurred_at) // 3600000000 * 60
    else epoch_us(occurred_at) // 86400000000 * 1440 end)::bigint as minutes, '{grain.value}' as grains,
  coalesce({measured.kind}, '') as kinds, {_text(measured.status)} as statuses,
  {_text(measured.currency)} as currencies, {_text(measured.region if place else None)} as regions,
  {_text(measured.channel if place else None)} as channels, {_text(None if place else measured.product)} as products,
  count(*) as records, coalesce(sum({measured.quantity or 0}), 0)::bigint as quantities,
  coalesce(sum({measured.amount or 0}), 0) as amounts,
  {_costs(measured, ("costed", "costed_amounts", "costs"))}
from {_table(contract, measured)} where {until}
group by all
"""  # noqa: S608 - our own names and numbers


def count(contract: str, partitions: Mapping[int, tuple[int, int]]) -> str:
    """How many records lie between two offsets of each partition."""
    return f"select count(*) as records from {TABLES[contract]} where {_between(partitions)}"  # noqa: S608


def _between(partitions: Mapping[int, tuple[int, int]]) -> str:
    parts = [
        f"(log_partition = {int(partition)} and log_offset >= {int(since)} and log_offset < {int(end)})"
        for partition, (since, end) in partitions.items()
    ]
    return " or ".join(parts) or "false"


def _table(contract: str, measured: Measured) -> str:
    """The records. A lake that has taken in none since costs are known has no column of them yet."""
    table, cost = TABLES[contract], measured.unit_cost
    if cost is None:
        return table
    return f"(select * from {table} union all by name select null::bigint as {cost} where false)"  # noqa: S608


def _costs(measured: Measured, names: tuple[str, str, str]) -> str:
    """Of the records whose cost is known: how many, what they are worth, and what they cost."""
    costed, amounts, costs = names
    cost = measured.unit_cost
    if cost is None:
        return f"0::bigint as {costed}, 0 as {amounts}, 0 as {costs}"
    return f"""count({cost}) as {costed}, coalesce(sum({measured.amount}) filter ({cost} is not null), 0) as {amounts},
  coalesce(sum({measured.quantity}::hugeint * {cost}), 0) as {costs}"""


def _label(measured: Measured, dimension: str) -> str:
    text = _text(getattr(measured, dimension))
    known = f"{text} = '' or {text} in (select unnest(${dimension}::varchar[]))"
    return f"case when {known} then {text} else $other end as {dimension}, "


def _text(name: str | None) -> str:
    return "''" if name is None else f"coalesce({name}, '')"
