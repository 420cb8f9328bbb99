"""Which accesses look unauthorised: rules as conditions over a typed catalogue of what is known of an act.

Every rule is one condition (finer.kit.conditions) and one sentence; every threshold is a number in the condition. An
observation is one entry of the audit trail with what came before it, or one caller's reads of the last minutes.
docs/reference/security-rules.md is made from this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from finer.kit.columns import Columns
from finer.kit.conditions.condition import parse_condition
from finer.kit.conditions.tree import Catalogue, ColumnType

_N, _T, _B = ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN
OBSERVED = timedelta(hours=24)
"""What is older when the detection comes to it is passed over: it is history, not an alarm."""

COLUMNS: dict[str, tuple[ColumnType, str]] = {
    "action": (_T, "what was done, e.g. session:begin"),
    "outcome": (_T, "done, read, refused, denied, not_found and so on"),
    "actor_kind": (_T, "user, key, system or nobody"),
    "actor_role": (_T, "the role of who acted"),
    "origin": (_T, "the network address it came from"),
    "local_hour": (_N, "the hour of the act at the firm, 0 to 23"),
    "weekend": (_B, "whether it was Saturday or Sunday at the firm"),
    "sign_in": (_B, "a sign-in that worked"),
    "refused": (_B, "a sign-in or a proof of identity that was refused"),
    "origin_accounts_10m": (_N, "different accounts refused from this address within 10 minutes"),
    "account_refused_10m": (_N, "refusals on this account within 10 minutes"),
    "sign_ins_before": (_N, "sign-ins of this person in the 90 days before"),
    "known_device": (_B, "this person signed in with this user agent in the 90 days before"),
    "known_network": (_B, "this person signed in from this network (IPv4 /16, IPv6 /32) in the 90 days before"),
    "previous_minutes": (_N, "minutes since the sign-in of this person before this one"),
    "previous_same_network": (_B, "the sign-in before came from the same network"),
    "previous_same_device": (_B, "the sign-in before had the same user agent"),
    "travel_km": (_N, "distance between the places of this sign-in and the one before; needs FINER_PLACES_FILE"),
    "travel_km_h": (_N, "the speed that this would take"),
    "denied_10m": (_N, "requests of this caller denied within 10 minutes"),
    "not_found_10m": (_N, "requests of this caller for things that are not there within 10 minutes"),
    "export": (_B, "an export"),
    "exports_this_hour_30d": (_N, "exports of this caller in the same two hours of the day in the 30 days before"),
    "privilege_change": (_B, "a change of who may do what"),
    "approved": (_B, "a second person approved it, in the same request"),
    "rows_10m": (_N, "rows that this caller read within 10 minutes"),
    "rows_usual": (_N, "the most rows that this caller reads in 10 minutes, 19 times out of 20, over 30 days"),
    "rows_known": (_N, "how many times of 10 minutes that is known from"),
}
CATALOGUE = Catalogue(
    {name: kind for name, (kind, _) in COLUMNS.items()}, {name: says for name, (_, says) in COLUMNS.items()}
)
REFUSABLE = ("session:begin", "session:prove", "passkeys:use", "oauth_tokens:issue")
"""Actions whose refusal is a failed proof of identity."""
PRIVILEGES = (
    "users:create", "users:role", "users:enable", "users:reset_factors", "teams:members", "api_keys:create",
    "api_keys:widen", "oauth_clients:create", "oauth_clients:widen", "sso:change", "sso_domains:add",
    "sign_in_links:create",
)  # fmt: skip
"""Actions that change who may do what."""
EXPORTS = (
    "alerts:export", "audit:export", "cases:report", "dashboards:export", "decisions:export", "lake:export_taken",
    "lists:export", "privacy:download", "sql:export",
)  # fmt: skip
"""Actions that take much away in a file."""


@dataclass(frozen=True)
class SecurityRule:
    """One rule. `about` names what the alert is about: the caller (`actor`), the tried `account`, or the `origin`."""

    id: str
    title: str
    severity: str
    about: str
    condition: str
    reason: str


RULES = (
    SecurityRule(
        "impossible_travel",
        "Impossible travel",
        "high",
        "actor",
        "sign_in and travel_km > 500 and travel_km_h > 900",
        "Signed in from {origin}, {travel_km} km from the sign-in {previous_minutes} minutes before: "
        "that would take {travel_km_h} km/h.",
    ),
    SecurityRule(
        "two_places_at_once",
        "Two networks and devices within minutes",
        "high",
        "actor",
        "sign_in and previous_minutes <= 15 and not previous_same_network and not previous_same_device",
        "Signed in from {origin} with another device, {previous_minutes} minutes after a sign-in from another network.",
    ),
    SecurityRule(
        "password_spray",
        "Password spray",
        "high",
        "origin",
        "refused and origin_accounts_10m >= 5",
        "{origin_accounts_10m} different accounts were tried from {origin} within 10 minutes, without success.",
    ),
    SecurityRule(
        "brute_force",
        "Brute force on an account",
        "medium",
        "account",
        "refused and account_refused_10m >= 8",
        "{account_refused_10m} proofs of identity failed on this account within 10 minutes, the last from {origin}.",
    ),
    SecurityRule(
        "break_in",
        "Sign-in after many failures",
        "high",
        "actor",
        "sign_in and account_refused_10m >= 8",
        "Signed in from {origin} after {account_refused_10m} failures within 10 minutes: the password may be known.",
    ),
    SecurityRule(
        "new_device",
        "New device and network",
        "low",
        "actor",
        "sign_in and sign_ins_before >= 3 and not known_device and not known_network",
        "Signed in from {origin} with a device and from a network that were not used in {sign_ins_before} sign-ins "
        "before.",
    ),
    SecurityRule(
        "mass_read",
        "Mass read",
        "high",
        "actor",
        "rows_10m > 20000 or (rows_known >= 20 and rows_10m > 1000 and rows_10m > rows_usual * 10)",
        "Read {rows_10m} rows within 10 minutes; the usual most is {rows_usual}.",
    ),
    SecurityRule(
        "off_hours_export",
        "Export outside of office hours",
        "medium",
        "actor",
        "export and actor_kind <> 'system' and (weekend or local_hour < 6 or local_hour >= 21) "
        "and exports_this_hour_30d = 0",
        "Exported at {local_hour} o'clock at the firm{weekend}, when this caller never exported in 30 days.",
    ),
    SecurityRule(
        "privilege_change",
        "Privileges changed without approval",
        "medium",
        "actor",
        "privilege_change and not approved and actor_kind <> 'system'",
        "Did {action} without the approval of a second person.",
    ),
    SecurityRule(
        "denied_burst",
        "Burst of denied requests",
        "medium",
        "actor",
        "denied_10m >= 20",
        "{denied_10m} requests were denied within 10 minutes, the last from {origin}.",
    ),
    SecurityRule(
        "probing",
        "Probing for what is not there",
        "medium",
        "actor",
        "not_found_10m >= 30",
        "Asked {not_found_10m} times within 10 minutes for things that are not there, the last from {origin}: "
        "as somebody does who guesses the ids of others.",
    ),
)
TITLES = {rule.id: rule.title for rule in RULES}
_CONDITIONS = tuple((rule, parse_condition(rule.condition, CATALOGUE)) for rule in RULES)
_ARROW = {_N: pa.float64(), _T: pa.string(), _B: pa.bool_()}
_FIELD = re.compile(r"\{([a-z0-9_]+)\}")


@dataclass(frozen=True)
class Hit:
    """A rule that holds for the observation at `row`."""

    row: int
    rule: SecurityRule
    reason: str


def local_columns(at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The columns that depend on where the firm is."""
    local = at.astimezone(zone)
    return {"local_hour": local.hour, "weekend": local.weekday() >= 5}


def evaluate(observations: Sequence[dict[str, Any]]) -> list[Hit]:
    """Every rule that holds, for observations as dictionaries of COLUMNS (absent is null), in their order."""
    if not observations:
        return []
    arrays = [
        pa.array([observation.get(name) for observation in observations], _ARROW[kind], from_pandas=True)
        for name, (kind, _) in COLUMNS.items()
    ]
    columns = Columns(pa.RecordBatch.from_arrays(arrays, names=list(COLUMNS)))
    found = [
        Hit(int(row), rule, reason_of(rule, observations[int(row)]))
        for rule, condition in _CONDITIONS
        for row in condition.mask(columns).nonzero()[0]
    ]
    return sorted(found, key=lambda hit: hit.row)


def reason_of(rule: SecurityRule, observation: dict[str, Any]) -> str:
    """The rule's sentence with what was seen."""

    def show(found: re.Match[str]) -> str:
        value = observation.get(found[1])
        if found[1] == "weekend":
            return " on a weekend" if value else ""
        if isinstance(value, int | float):
            return f"{round(value):,}"
        return "unknown" if value in (None, "") else str(value)

    return _FIELD.sub(show, rule.reason)


def render() -> str:
    """docs/reference/security-rules.md."""
    lines = [
        "# Rules of unauthorised access",
        "",
        "Made from `src/finer/identity/rules/detection.py` by `make docs`; a test compares the two. Conditions are in",
        "the language of all rules of Finer. [Audit](../how-to/audit.md) says what to do with an alert.",
        "",
        "| rule | severity | about | condition |",
        "|---|---|---|---|",
    ]
    lines += [f"| {rule.title} (`{rule.id}`) | {rule.severity} | {rule.about} | `{rule.condition}` |" for rule in RULES]
    lines += ["", "## What a condition can name", "", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind.value} | {says} |" for name, (kind, says) in COLUMNS.items()]
    return "\n".join(lines) + "\n"
