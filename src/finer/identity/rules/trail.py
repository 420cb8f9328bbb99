"""Pure rules of the audit trail: texts that cannot break a line, and cells that cannot run."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from finer.identity.types.audit import AuditLine
from finer.kit.spreadsheets import csv_text

# Control characters, line separators, and marks that turn the direction of writing: what could make one entry look
# like two, or like another one, in a terminal or a log.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
COLUMNS = (
    "sequence", "at", "actor_kind", "actor_id", "actor_name", "actor_role", "action", "subject", "outcome", "origin",
    "user_agent", "session", "request", "detail", "id", "hash",
)  # fmt: skip


def plain(text: str, longest: int) -> str:
    r"""A text of a client as it may stand in the trail: control characters as `\x0a`, at most `longest` characters."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text[:longest])[:longest]


def shown_actor(kind: str, identifier: str) -> str:
    """`usr_...` or `key_...` for people and machines; what the trail holds for others."""
    prefix = {"user": "usr", "key": "key"}.get(kind)
    try:
        return identifier if prefix is None else f"{prefix}_{uuid.UUID(identifier).hex}"
    except ValueError:
        return identifier


def stored_actor(text: str) -> str:
    """The inverse of `shown_actor`; a name stays as it is."""
    prefix, _, digits = text.partition("_")
    if prefix in ("usr", "key") and len(digits) == 32:
        try:
            return str(uuid.UUID(hex=digits))
        except ValueError:
            return text
    return text


def as_json_lines(lines: Iterable[AuditLine]) -> bytes:
    """One JSON document for each entry."""
    return b"".join(msgspec.json.encode(_row(line)) + b"\n" for line in lines)


def as_csv(lines: Iterable[AuditLine], *, header: bool) -> bytes:
    """Rows of CSV (RFC 4180), quoted, none of whose cells a spreadsheet would run."""
    rows: list[Iterable[Any]] = [COLUMNS] if header else []
    for line in lines:
        row = _row(line)
        row["detail"] = msgspec.json.encode(row["detail"]).decode()
        rows.append([row[name] for name in COLUMNS])
    return csv_text(rows).encode()


def _row(line: AuditLine) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(line, name, None) for name in COLUMNS}
    return row | {
        "id": f"aud_{line.id.hex}",
        "actor_id": shown_actor(line.actor_kind, line.actor_id),
        "at": line.at.isoformat(),
        "hash": None if line.hash is None else line.hash.hex(),
    }
