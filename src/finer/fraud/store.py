"""The columns that fraud's windows read, as SQL over the lake: the twin of `derive`, for verification and training."""

from __future__ import annotations

from finer.fraud.rules.evaluate import BASE_COLUMNS
from finer.fraud.rules.pack import DERIVED
from finer.kit.conditions.condition import parse_condition
from finer.kit.conditions.tree import Catalogue
from finer.kit.money import EXPONENTS


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
