"""What training reads of the people who pay: their last profile, their age at the payment, and nothing without them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from finer.fraud.service import learning

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def lake() -> duckdb.DuckDBPyConnection:
    """Five payments, decided, of people of whom something is known or not."""
    found = duckdb.connect()
    found.execute("set timezone = 'UTC'")
    people = ("young", "grown", "old", "silent", "unknown")
    rows = [(0, n, f"e{n}", AT, f"a{n}", name, "web", "PH", "purchase") for n, name in enumerate(people)]
    found.execute(
        "create table transactions (log_partition int, log_offset bigint, event_id varchar, occurred_at timestamptz, "
        "account_id varchar, customer_id varchar, channel varchar, merchant_country varchar, type varchar)"
    )
    found.executemany("insert into transactions values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    windows = ", ".join(f'1.0 as "{name.replace(".", "_")}"' for name in learning.windows_read())
    found.execute(
        "create table decisions as select log_partition, log_offset, occurred_at, 500 as amount_usd_minor, "
        f"{windows} from transactions"
    )
    found.execute(
        "create table customer_profiles (customer_id varchar, occurred_at timestamptz, gender varchar, "
        "date_of_birth date)"
    )
    profiles: list[tuple[str, datetime, str | None, date | None]] = [
        ("young", AT.replace(year=2020), "Male", date(2001, 3, 2)),
        ("young", AT.replace(year=2025), " Female ", date(2001, 3, 2)),
        ("grown", AT.replace(year=2025), "male", date(2001, 3, 1)),
        ("old", AT.replace(year=2025), "female", date(1950, 1, 1)),
        ("silent", AT.replace(year=2025), None, None),
    ]
    found.executemany("insert into customer_profiles values (?, ?, ?, ?)", profiles)
    return found


def groups(lake: duckdb.DuckDBPyConnection, *profile: str) -> dict[str, list[str]]:
    """The groups of the payments, in the order of the payments."""
    query = learning.training_query("Asia/Manila", labelled=False, profile=profile) + " order by t.log_offset"
    arguments: dict[str, Any] = {"since": AT.replace(day=1, hour=0), "until": AT.replace(day=2), "as_of": AT}
    batches = lake.execute(query, arguments).arrow()
    history = learning.gather(batches, 7)
    return {name: values.tolist() for name, values in history.groups.items()}


def test_people_are_told_apart_by_their_last_profile_and_their_age_at_the_payment(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    found = groups(lake, "customer_id", "gender", "date_of_birth")
    assert found["gender"] == ["female", "male", "female", "", ""]
    assert found["age"] == ["under 25", "25 to 39", "60 and over", "", ""]


@pytest.mark.parametrize(("profile", "known"), [((), set()), (("gender",), {"gender"}), (("date_of_birth",), {"age"})])
def test_what_the_firm_does_not_keep_of_people_is_no_group(
    lake: duckdb.DuckDBPyConnection, profile: tuple[str, ...], known: set[str]
) -> None:
    assert groups(lake, *profile).keys() & {"age", "gender"} == known
    assert not {"age", "gender"} & set(learning.columns_read())
