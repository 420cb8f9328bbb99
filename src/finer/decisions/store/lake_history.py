"""The SQL of what the lake says about the customer of a case: what they did, and whom they share things with.

The statements run on the lake's reader, which the app hands down: this domain does not know where the lake is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

ReadLake: TypeAlias = Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""Runs a statement with arguments over the firm's lake; empty where a table is not there yet."""

_HISTORY = {
    "transaction": """
select event_id, occurred_at, type as title, amount_minor, currency, account_id,
       concat_ws(', ', merchant_name, merchant_city, merchant_country) as place, log_partition, log_offset
from transactions where {who} = $subject and occurred_at between $since and $until
order by occurred_at desc limit $rows
""",
    "order": """
select event_id, occurred_at, concat_ws(' ', status, product_name) as title, amount_minor, currency,
       null as account_id, concat_ws(', ', region, country) as place
from orders where {who} = $subject and occurred_at between $since and $until
order by occurred_at desc limit $rows
""",
    "activity": """
select event_id, occurred_at, concat_ws(' ', kind, page) as title, null::bigint as amount_minor,
       null::varchar as currency, null as account_id, concat_ws(', ', channel, country) as place
from activities where {who} = $subject and occurred_at between $since and $until
order by occurred_at desc limit $rows
""",
    "customer_profile": """
select event_id, occurred_at, 'profile changed' as title, null::bigint as amount_minor, null::varchar as currency,
       null as account_id, concat_ws(', ', city, residence_country) as place
from customer_profiles where {who} = $subject and occurred_at between $since and $until
order by occurred_at desc limit $rows
""",
}
_DECIDED = """
select log_partition, log_offset, action from decisions
where occurred_at between $since and $until and log_offset in (select unnest($offsets::bigint[]))
"""
_PAYMENTS = """
select event_id, occurred_at from transactions
where occurred_at between $since and $until and event_id in (select unnest($events::varchar[]))
"""
_SHARED = """
with mine as (
  select distinct unnest([
    'device:' || device_id, 'payee:' || counterparty_id,
    case when card_last4 is null then null else 'card:' || account_id || '|' || card_last4 end
  ]) as thing
  from transactions where {who} = $subject and occurred_at between $since and $until
), used as (
  select customer_id, account_id, occurred_at, unnest([
    'device:' || device_id, 'payee:' || counterparty_id,
    case when card_last4 is null then null else 'card:' || account_id || '|' || card_last4 end
  ]) as thing
  from transactions where occurred_at between $since and $until
), counted as (
  select customer_id, account_id, thing, count(*) as times, max(occurred_at) as last_at
  from used where thing in (select thing from mine where thing is not null)
  group by customer_id, account_id, thing
), shared as (
  select thing, count(distinct coalesce(customer_id, account_id)) as users from counted group by thing
)
select c.customer_id, c.account_id, c.thing, c.times, c.last_at, s.users
from counted c join shared s using (thing)
order by (coalesce({own}, '') = $subject) desc, (s.users > 1) desc, c.times desc, c.thing, c.account_id
limit $rows
"""
_CONTACTS = """
with latest as (
  select customer_id, arg_max(email, occurred_at) as email, arg_max(phone, occurred_at) as phone,
         max(occurred_at) as last_at
  from customer_profiles group by customer_id
), mine as (select * from latest where customer_id = $subject)
select o.customer_id, o.last_at, 'email:' || o.email as thing from latest o join mine m on o.email = m.email
union all
select o.customer_id, o.last_at, 'phone:' || o.phone as thing from latest o join mine m on o.phone = m.phone
limit $rows
"""


def history(
    read: ReadLake, column: str, subject: str, since: datetime, until: datetime, rows: int
) -> list[dict[str, Any]]:
    """What somebody did by every contract, at most `rows` of each; `column` is customer_id or account_id."""
    found: list[dict[str, Any]] = []
    for contract, statement in _HISTORY.items():
        if column == "account_id" and contract != "transaction":
            continue
        arguments = {"subject": subject, "since": since, "until": until, "rows": rows}
        found += [{"contract": contract, **row} for row in read(statement.format(who=column), arguments)]
    return found


def actions(read: ReadLake, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], str]:
    """What was decided on payments, by log partition and offset."""
    decided = [row for row in rows if row["contract"] == "transaction"]
    if not decided:
        return {}
    times = [row["occurred_at"] for row in decided]
    arguments = {"since": min(times), "until": max(times), "offsets": [row["log_offset"] for row in decided]}
    return {(row["log_partition"], row["log_offset"]): row["action"] for row in read(_DECIDED, arguments)}


def payments(read: ReadLake, events: Sequence[str], since: datetime, until: datetime) -> dict[str, datetime]:
    """When payments were made, by event id; those that are not in the lake are left out."""
    arguments = {"since": since, "until": until, "events": list(events)}
    return {row["event_id"]: row["occurred_at"] for row in read(_PAYMENTS, arguments)}


def shared(
    read: ReadLake, column: str, subject: str, since: datetime, until: datetime, rows: int
) -> list[Mapping[str, Any]]:
    """Devices, payees and cards of somebody, with everybody who used them, the subject's own first."""
    arguments = {"subject": subject, "since": since, "until": until, "rows": rows}
    return list(read(_SHARED.format(who=column, own=f"c.{column}"), arguments))


def contacts(read: ReadLake, customer: str, rows: int) -> list[Mapping[str, Any]]:
    """E-mail addresses and phone numbers of a customer, with everybody who has them too."""
    return list(read(_CONTACTS, {"subject": customer, "rows": rows}))
