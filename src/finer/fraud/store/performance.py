"""The SQL of performance over the lake: decisions joined with what was known of them at a moment."""

from __future__ import annotations

from finer.fraud.types import OutcomeKind, Source

_BETWEEN = "occurred_at >= $since and occurred_at < $until"
_KNOWN = f"""
select event_id, arg_max(verdict, known_at) as verdict, max(known_at) as known_at,
       min(known_at) filter (source like 'user:%') as judged_at
  from labels where known_at <= $as_of and {_BETWEEN} group by event_id
"""  # noqa: S608 - constant texts
_NOTHING_KNOWN = """
select null::varchar as event_id, null::varchar as verdict, null::timestamptz as known_at,
       null::timestamptz as judged_at where $as_of is null
"""
_FRAUD, _GOOD = "verdict = 'confirmed_fraud'", "verdict = 'dismissed'"
_MODEL_HIT = "list_contains(rules, 'model_score')"
_COUNTS = f"""
count(*) as hits, count(*) filter (action = 'block') as blocks, count(*) filter ({_FRAUD}) as fraud,
count(*) filter ({_GOOD}) as legitimate
"""
# Spending is what the rule pack calls so: neither what comes back nor what is paid in.
HIGH_VALUE = f"""
select (d.occurred_at at time zone $zone)::date as day, count(*) as payments,
       count(*) filter (d.action <> 'approve') as covered
  from (from decisions where {_BETWEEN} and amount_usd_minor > $above) d
  join (from transactions where {_BETWEEN} and type not in ('refund', 'deposit')) t using (log_partition, log_offset)
 group by day order by day
"""  # noqa: S608 - constant texts
"""One row for each day in the zone `$zone`: payments of more than `$above` US cents, and those not just approved."""
_AGAIN_WITHIN = "interval 24 hours"
_OF: dict[Source, str] = {
    "all": "action <> 'approve' and $name is not null",
    "rule": "list_contains(rules, $name)",
    "model": f"{_MODEL_HIT} and model = $name",
}
_WHICH: dict[OutcomeKind, str] = {
    "hits": "true",
    "blocks": "action = 'block'",
    "fraud": _FRAUD,
    "legitimate": _GOOD,
    "unjudged": f"coalesce(not ({_FRAUD} or {_GOOD}), true)",
    "protected": f"action = 'block' and {_FRAUD}",
}


def _decided(*, labelled: bool) -> str:
    return (
        f"with known as ({_KNOWN if labelled else _NOTHING_KNOWN}), decided as ("  # noqa: S608 - constant texts
        "select d.event_id, d.log_partition, d.log_offset, d.occurred_at, d.action, d.rules, d.model, d.score, "
        "d.amount_usd_minor, k.verdict, k.known_at, k.judged_at "
        f"from (from decisions where {_BETWEEN}) d left join known k using (event_id))"
    )


def days_query(*, labelled: bool) -> str:
    """One row for each day in the zone `$zone`: payments, alerts, judged, fraud, caught, legitimate, missed US cents.

    A lake without labels has no table of them: then nothing is known (`labelled`), here and in the other queries.
    """
    return f"""{_decided(labelled=labelled)}
select (occurred_at at time zone $zone)::date as day, count(*) as payments,
       count(*) filter (action <> 'approve') as alerts, count(*) filter (action = 'block') as blocks,
       count(*) filter (action <> 'approve' and ({_FRAUD} or {_GOOD})) as judged,
       count(*) filter ({_FRAUD}) as fraud, count(*) filter (action <> 'approve' and {_FRAUD}) as caught,
       count(*) filter (action <> 'approve' and {_GOOD}) as legitimate,
       coalesce(sum(amount_usd_minor) filter (action <> 'block' and {_FRAUD}), 0)::bigint as missed_usd_minor
  from decided group by day order by day
"""  # noqa: S608 - constant texts


def sources_query(*, labelled: bool) -> str:
    """One row for each rule and each model that hit: source, name, hits, blocks, fraud, legitimate."""
    return f"""{_decided(labelled=labelled)}
select 'rule' as source, rule as name, {_COUNTS}
  from (select *, unnest(rules) as rule from decided) group by rule
 union all
select 'model', model, {_COUNTS} from decided where {_MODEL_HIT} and model is not null group by model
 order by source desc, hits desc, name
"""  # noqa: S608 - constant texts


def protected_query(*, labelled: bool) -> str:
    """Blocked known fraud by day, the rule credited with it and the model: payments and US cents.

    Credited is the first rule of `$blocking` that held, so that no payment counts twice. `again` says that the same
    account had tried the same amount with the same payee within a day before.
    """
    return f"""{_decided(labelled=labelled)}, tried as (
  select d.*, lag(d.occurred_at) over (
           partition by coalesce(t.account_id, d.event_id), t.amount_minor, t.currency,
                        coalesce(t.counterparty_id, t.merchant_id, t.merchant_name)
           order by d.occurred_at, d.log_offset) as before
    from (from decided where action = 'block' and {_FRAUD}) d
    join (from transactions where {_BETWEEN}) t using (log_partition, log_offset)
)
select (occurred_at at time zone $zone)::date as day,
       coalesce(list_filter(rules, lambda r: list_contains($blocking::varchar[], r))[1], rules[1], '') as rule,
       case when {_MODEL_HIT} then model end as model,
       coalesce(occurred_at - before < {_AGAIN_WITHIN}, false) as again,
       count(*) as payments, coalesce(sum(amount_usd_minor), 0)::bigint as usd_minor
  from tried group by all
"""  # noqa: S608 - constant texts


def times_query(*, labelled: bool) -> str:
    """One row: how many alerts people judged, and after how many seconds half, 90 % and 99 % of them."""
    return f"""{_decided(labelled=labelled)}
select count(*) as judged, quantile_cont(seconds, [0.5, 0.9, 0.99]) as quantiles
  from (select greatest(0, epoch(d.judged_at) - epoch(t.received_at)) as seconds
          from (from decided where action <> 'approve' and judged_at is not null) d
          join (from transactions where {_BETWEEN}) t using (log_partition, log_offset))
"""  # noqa: S608 - constant texts


def payments_query(source: Source, outcome: OutcomeKind, *, labelled: bool, later: bool) -> str:
    """The payments behind a number, the newest first, `$limit` of them; `later` begins behind `$at` and `$after`."""
    hit = _OF[source]
    chosen = f"{_FRAUD} and not coalesce({hit}, false)" if outcome == "missed" else f"{hit} and {_WHICH[outcome]}"
    behind = "and (d.occurred_at, d.event_id) < ($at::timestamptz, $after)" if later else ""
    return f"""{_decided(labelled=labelled)}
select d.event_id, d.occurred_at, t.amount_minor, t.currency, t.merchant_name, t.merchant_country, t.channel,
       d.action, d.rules, d.score, d.verdict, d.known_at
  from (from decided where {chosen}) d
  join (from transactions where {_BETWEEN}) t using (log_partition, log_offset)
 where true {behind} order by d.occurred_at desc, d.event_id desc limit $limit
"""  # noqa: S608 - constant texts
