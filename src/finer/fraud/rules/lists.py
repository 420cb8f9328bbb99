"""Lists: which columns they speak of, what an entry may be, and how a file of entries is read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pyarrow as pa

from finer.fraud.errors import ListNotAcceptable
from finer.fraud.types import ListKind, NewEntry
from finer.kit.hash_set import HashSet
from finer.kit.hashing import combine_hashes, hash_strings

ENTRIES_MAX = 100_000
"""Entries of one list."""
VALUE_MAX, REASON_MAX, SOURCE_MAX = 128, 500, 100
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
COLUMNS: Mapping[ListKind, tuple[str, ...]] = {
    ListKind.ACCOUNT: ("account_id", "counterparty_id"),
    ListKind.CARD: ("card",),
    ListKind.COUNTRY: ("merchant_country",),
    ListKind.CUSTOMER: ("customer_id",),
    ListKind.DEVICE: ("device_id",),
    ListKind.MERCHANT: ("merchant_id",),
}
"""The columns that a list of each kind can be asked about; a list with an effect is asked about all of them."""
_SHAPES = {
    ListKind.CARD: (re.compile(r"[^|]+\|[0-9]{4}"), "an account, a vertical bar and the last four digits: acc_1|4242"),
    ListKind.COUNTRY: (re.compile(r"[A-Z]{2}"), "a country by its two letters of ISO 3166: PH"),
}
_HEADS = ("value", "expires_at", "reason", "source")


def columns_of(kind: ListKind) -> frozenset[str]:
    """The columns that a list of this kind can be asked about."""
    return frozenset(COLUMNS[kind])


def members(kind: ListKind, values: Iterable[str]) -> HashSet:
    """The values of a list as the stream looks them up."""
    listed = list(values)
    if kind is not ListKind.CARD:
        return HashSet(hash_strings(pa.array(listed, pa.string())))
    parts = [value.rpartition("|") for value in listed]
    accounts = hash_strings(pa.array([account for account, _, _ in parts], pa.string()))
    cards = hash_strings(pa.array([last4 for _, _, last4 in parts], pa.string()))
    return HashSet(combine_hashes(accounts, cards))


def check_entry(kind: ListKind, entry: NewEntry, now: datetime, *, line: int | None = None) -> NewEntry:
    """The entry with blanks taken away. Raises ListNotAcceptable, with the line of a file if it came from one."""
    value, reason, source = entry.value.strip(), " ".join(entry.reason.split()), " ".join(entry.source.split())
    place = "" if line is None else f"Line {line}: "
    if not 0 < len(value) <= VALUE_MAX or not value.isprintable():
        raise ListNotAcceptable(f"{place}an entry has 1 to {VALUE_MAX} printable characters.", line=line)
    shape, example = _SHAPES.get(kind, (None, ""))
    if shape is not None and not shape.fullmatch(value):
        raise ListNotAcceptable(f"{place}an entry of this list is {example}.", line=line)
    if not 3 <= len(reason) <= REASON_MAX:
        raise ListNotAcceptable(f"{place}say why, in 3 to {REASON_MAX} characters.", line=line)
    if len(source) > SOURCE_MAX:
        raise ListNotAcceptable(f"{place}a source has at most {SOURCE_MAX} characters.", line=line)
    if entry.expires_at is not None and entry.expires_at <= now:
        raise ListNotAcceptable(f"{place}the entry would have expired already.", line=line)
    return NewEntry(value=value, reason=reason, source=source, expires_at=entry.expires_at)


def read_csv(kind: ListKind, text: str, now: datetime, *, reason: str, source: str) -> list[NewEntry]:
    """The entries of a CSV text with the head `value`, and `expires_at`, `reason`, `source` if it has them.

    `reason` and `source` are those of lines that have none. A value that comes twice counts once. Raises
    ListNotAcceptable with the line of the first mistake: a file is taken whole or not at all.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    found: dict[str, NewEntry] = {}
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in head if name not in _HEADS]
        if "value" not in head or unknown or len(set(head)) < len(head):
            raise ListNotAcceptable(
                f"The first line names the columns: value, and any of {', '.join(_HEADS[1:])}.", line=1
            )
        for row in reader:
            if not row:
                continue
            if len(row) != len(head):
                detail = f"Line {reader.line_num}: {len(row)} columns where the first line names {len(head)}."
                raise ListNotAcceptable(detail, line=reader.line_num)
            cells = dict(zip(head, row, strict=True))
            entry = NewEntry(
                value=cells["value"],
                reason=cells.get("reason", "").strip() or reason,
                source=cells.get("source", "").strip() or source,
                expires_at=_moment(cells.get("expires_at", ""), reader.line_num),
            )
            checked = check_entry(kind, entry, now, line=reader.line_num)
            found[checked.value] = checked
            if len(found) > ENTRIES_MAX:
                raise ListNotAcceptable(f"A list has at most {ENTRIES_MAX:,} entries.", line=reader.line_num)
    except csv.Error as error:
        raise ListNotAcceptable(f"Line {reader.line_num}: {error}.", line=reader.line_num) from error
    return list(found.values())


def _moment(text: str, line: int) -> datetime | None:
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        detail = f"Line {line}: {text[:40]!r} is no time. Write 2026-12-31T18:00:00Z."
        raise ListNotAcceptable(detail, line=line) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
