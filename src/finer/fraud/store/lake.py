"""The columns that fraud's windows read, as SQL over the lake: the twin of `derive`, for verification and training."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from finer.fraud.rules.evaluate import BASE_COLUMNS
from finer.fraud.rules.pack import DERIVED
from finer.kit.conditions.condition import parse_condition
from finer.kit.conditions.tree import Catalogue
from finer.kit.money import EXPONENTS

_KEPT = ("score", "action", "rules", "rule_pack", "model", "feature_set")


def lake_relation(zone: str) -> str:
    """A query in parentheses with every column of the feature set, one row per transaction of one tenant's lake.

    `zone` is the tenant's time zone, a name of the IANA database that was checked when the tenant was made.
    """
    exponents = " ".join(f"when '{code}' then {10**digits}" for code, digits in EXPONENTS.items())
    catalogue = Catalogue(BASE_COLUMNS)
    derived = ", ".join(
        f"coalesce({parse_condition(text, catalogue).duckdb()}, false) as {name}" for name, text in DERIVED.items()
    )
    plain = (
        "select t.*, d.amount_usd_minor::bigint as amount_usd_minor, d.amount_usd_minor / 100 as amount_usd, "  # noqa: S608 - constant texts and a checked zone
        f"t.amount_minor / (case t.currency {exponents} else 100 end) as amount, "
        f"hour(t.occurred_at at time zone '{zone}') as local_hour, "
        "t.account_id || '|' || coalesce(t.card_last4, '') as card "
        "from transactions t join decisions d using (log_partition, log_offset)"
    )
    return f"(select *, {derived} from ({plain}) with_amounts)"  # noqa: S608 - constant texts and a checked zone


def column_name(feature: str) -> str:
    """The lake column that keeps a window."""
    return feature.replace(".", "_")


def _decided(windows: Collection[str], condition: str) -> str:
    """The decisions of a condition, in parentheses, with a column of every window.

    A lake gets the column of a window with its next payment: until then, that of a firm that has sent none since the
    window was added has only decisions that did not use it.
    """
    if not windows:
        return f"(from decisions where {condition})"
    unused = ", ".join(f'null as "{column_name(name)}"' for name in windows)
    return f"(from decisions where {condition} union all by name select {unused} where false)"


def price_query(columns: Iterable[str], windows: Collection[str], *, labelled: bool) -> str:
    """Decided payments that occurred from `$since` to before `$until`, with the last label known at `$as_of`.

    `columns` are fields of transactions, `windows` names of windows; both are ours. The windows keep the lake's names.
    A lake without labels has no table of them: then nothing is known (`labelled`).
    """
    plain = ", ".join(f't."{name}"' for name in columns)
    kept = "".join(f', d."{column_name(name)}"' for name in windows)
    between = "occurred_at >= $since and occurred_at < $until"
    label = "l.verdict" if labelled else "null::varchar"
    labels = (
        "left join (select event_id, arg_max(verdict, known_at) as verdict from labels "  # noqa: S608 - our own names
        f"where known_at <= $as_of and {between} group by event_id) l on l.event_id = t.event_id"
        if labelled
        else "where $as_of is not null"
    )
    return (
        f"select {plain}{kept}, d.amount_usd_minor as kept_usd_minor, d.score as kept_score, {label} as label "  # noqa: S608 - our own names
        f"from (from transactions where {between}) t "
        f"join {_decided(windows, between)} d using (log_partition, log_offset) "
        f"{labels}"
    )


def recorded_query(windows: Collection[str]) -> str:
    """The payments `$events` (ids) that occurred from `$since` to `$until`, with what was decided on them.

    Every field of transactions, the windows under the lake's names, and kept_usd_minor, kept_score, kept_action,
    kept_rules, kept_rule_pack, kept_model, kept_feature_set.
    """
    kept = "".join(f', d."{column_name(name)}"' for name in windows)
    own = "".join(f", d.{name} as kept_{name}" for name in _KEPT)
    between = "occurred_at between $since and $until and event_id in (select unnest($events::varchar[]))"
    return (
        f"select t.*{kept}, d.amount_usd_minor as kept_usd_minor{own} "  # noqa: S608 - our own names
        f"from (from transactions where {between}) t join {_decided(windows, between)} d "
        "using (log_partition, log_offset) order by log_partition, log_offset"
    )


_FIRST_OF_ID = "qualify row_number() over (partition by event_id order by log_partition, log_offset) = 1"


def labels_query(columns: Iterable[str]) -> str:
    """All labels of the payments `$events` (ids) made from `$since` to `$until`, in the order in which they count.

    Columns: event_id, verdict, known_at, in_lake (whether the payment is there), and `columns` of the payment. Of equal
    times, the label that was taken later comes later.
    """
    chosen = "event_id in (select unnest($events::varchar[]))"
    names = ", ".join(columns)
    return (
        f"select l.event_id, l.verdict, l.known_at, t.event_id is not null as in_lake, {names} "  # noqa: S608 - our own names
        f"from (select event_id, verdict, known_at, rowid as place from labels where {chosen}) l "
        f"left join (select event_id, {names} from transactions "
        f"where occurred_at between $since and $until and {chosen} {_FIRST_OF_ID}) t on t.event_id = l.event_id "
        "order by l.known_at, l.place"
    )


def told_relation(columns: Iterable[str]) -> str:
    """A query in parentheses of what was told of frauds: since when, from which offset on, `columns`, and the weight.

    Its arguments are lists of one length: `$told_events`, `$told_offsets`, `$told_at` and `$told_weights`.
    """
    names = ", ".join(columns)
    return (
        f"(select r.log_offset, r.known_at as occurred_at, r.weight, {names} "  # noqa: S608 - our own names
        "from (select unnest($told_events::varchar[]) as event_id, unnest($told_offsets::bigint[]) as log_offset, "
        "unnest($told_at::timestamptz[]) as known_at, unnest($told_weights::bigint[]) as weight) r "
        f"join (select event_id, {names} from transactions "
        f"where event_id in (select unnest($told_events::varchar[])) {_FIRST_OF_ID}) t on t.event_id = r.event_id)"
    )


PEOPLE = {
    "gender": "lower(trim(p.gender))",
    "age": (
        "case when p.date_of_birth is null then null "
        "when date_sub('year', p.date_of_birth, t.occurred_at::date) < 25 then 'under 25' "
        "when date_sub('year', p.date_of_birth, t.occurred_at::date) < 40 then '25 to 39' "
        "when date_sub('year', p.date_of_birth, t.occurred_at::date) < 60 then '40 to 59' else '60 and over' end"
    ),
}
"""What is known of the people who pay, by the name of the group: by their last profile, age at the payment."""
PROFILE_FIELDS = {"gender": "gender", "age": "date_of_birth"}
"""The field of `customer_profile` that a group of people is made from."""


def training_query(
    windows: Collection[str], groups: Iterable[str], zone: str, *, labelled: bool, people: Iterable[str] = ()
) -> str:
    """Decided payments from `$since` to before `$until` as a model reads them, with the last label known at `$as_of`.

    Columns: at and known_at (microseconds since 1970 UTC), day (days since 1970 in the firm's zone), account_id, what
    `windows` (names) kept, amount_usd_minor, local_hour, `groups` (fields), `people` (names of PEOPLE) and label.
    `zone` was checked when the firm was made. A lake without labels has no table of them (`labelled`).
    """
    chosen = list(people)
    fields = ", ".join(f"arg_max({PROFILE_FIELDS[one]}, occurred_at) as {PROFILE_FIELDS[one]}" for one in chosen)
    profiles = (
        f"left join (select customer_id, {fields} from customer_profiles group by customer_id) p "  # noqa: S608 - our own names
        "on p.customer_id = t.customer_id "
        if chosen
        else ""
    )
    kept = "".join(f', d."{column_name(name)}"::double as "{name}"' for name in windows)
    plain = "".join(f', coalesce(t."{name}"::varchar, \'\') as "{name}"' for name in groups)
    plain += "".join(f", coalesce({PEOPLE[name]}, '') as \"{name}\"" for name in chosen)
    between = "occurred_at >= $since and occurred_at < $until"
    label = "l.verdict as label, epoch_us(l.known_at) as known_at"
    labels = (
        "left join (select event_id, arg_max(verdict, known_at) as verdict, max(known_at) as known_at from labels "
        "where known_at <= $as_of group by event_id) l on l.event_id = t.event_id"
    )
    if not labelled:
        label, labels = "null::varchar as label, null::bigint as known_at", "where $as_of is not null"
    return (
        f"select epoch_us(t.occurred_at) as at, epoch_us(t.occurred_at at time zone '{zone}') // 86400000000 as day, "  # noqa: S608 - our own names and a checked zone
        f"t.account_id, d.amount_usd_minor::double as amount_usd_minor, "
        f"hour(t.occurred_at at time zone '{zone}')::double as local_hour{kept}{plain}, {label} "
        f"from (from transactions where {between}) t "
        f"join {_decided(windows, between)} d using (log_partition, log_offset) {profiles}{labels}"
    )


def watched_query(windows: Collection[str], zone: str, *, challenged: bool) -> str:
    """A sample of `$rows` payments from `$since` to before `$until`, whoever scored them, as models read them.

    The score is that of `$model`, as the champion or, where the lake knows of any (`challenged`), as a challenger; it
    is null where neither was. The label is not looked up.
    """
    kept = "".join(f', d."{column_name(name)}"::double as "{name}"' for name in windows)
    between = "occurred_at >= $since and occurred_at < $until"
    beside = " when d.challenger = $model then d.challenger_score" if challenged else ""
    return (
        "select d.amount_usd_minor::double as amount_usd_minor, "  # noqa: S608 - our own names and a checked zone
        f"hour(t.occurred_at at time zone '{zone}')::double as local_hour{kept}, null::varchar as label, "
        f"(case when d.model = $model then d.score{beside} end)::double as score "
        f"from (from transactions where {between}) t "
        f"join {_decided(windows, between)} d using (log_partition, log_offset) "
        "order by hash(log_partition, log_offset) limit $rows"
    )


def scored_query(windows: Collection[str], zone: str, *, labelled: bool, beside: bool) -> str:
    """Payments from `$since` to before `$until` that the model `$model` has scored, with what it read of them.

    Columns as `training_query`, and score. `beside`: only those that the challenger `$challenger` has scored too, and
    its score as challenger_score.
    """
    kept = "".join(f', d."{column_name(name)}"::double as "{name}"' for name in windows)
    between = "occurred_at >= $since and occurred_at < $until"
    label = "l.verdict" if labelled else "null::varchar"
    labels = (
        "left join (select event_id, arg_max(verdict, known_at) as verdict from labels where known_at <= $as_of "
        "group by event_id) l on l.event_id = t.event_id"
        if labelled
        else "where $as_of is not null"
    )
    other = ", d.challenger_score::double as challenger_score" if beside else ""
    chosen = "model = $model" + (" and challenger = $challenger" if beside else "")
    return (
        f"select epoch_us(t.occurred_at) as at, epoch_us(t.occurred_at at time zone '{zone}') // 86400000000 as day, "  # noqa: S608 - our own names and a checked zone
        f"t.account_id, d.amount_usd_minor::double as amount_usd_minor, "
        f"hour(t.occurred_at at time zone '{zone}')::double as local_hour{kept}, {label} as label, "
        f"d.score::double as score{other} "
        f"from (from transactions where {between}) t "
        f"join {_decided(windows, f'{between} and {chosen}')} d using (log_partition, log_offset) {labels}"
    )
