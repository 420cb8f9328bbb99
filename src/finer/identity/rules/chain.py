"""The audit chain: how entries are linked, and what a broken link says.

The form of a chain is documented in docs/how-to/audit.md, so that it can be checked without Finer.
"""

from __future__ import annotations

import hashlib
import uuid
from binascii import unhexlify
from collections.abc import Iterable
from dataclasses import dataclass, field

from finer.identity.types.audit import ChainFinding, SignedHead
from finer.kit.moments import microseconds

_GENESIS = b"finer audit chain 1\n"
_HEAD = "finer audit head 1"
_KEPT_MAX = 1000  # broken links that are remembered to be explained; more of them say nothing new
_ABSENT = rb"\N"
FINDINGS_MAX = 100


def genesis(tenant: uuid.UUID) -> bytes:
    """What stands before the first entry, 32 bytes: other for every firm, so that no chain fits another firm."""
    return hashlib.sha256(_GENESIS + tenant.bytes).digest()


def link(previous: bytes, line: bytes) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it (32 bytes) and the entry's canonical line."""
    return hashlib.sha256(previous + line).digest()


def head_message(tenant: uuid.UUID, head: SignedHead) -> bytes:
    """What a signed head signs."""
    moment = microseconds(head.signed_at)
    return f"{_HEAD}\n{tenant.hex}\n{head.sequence}\n{head.hash.hex()}\n{moment}\n".encode()


@dataclass(frozen=True)
class _Broken:
    sequence: int
    entry: str
    line: bytes
    stored: bytes
    previous: bytes
    before: bytes


@dataclass
class Walk:
    r"""A walk along a chain: feed it the sealed rows in order, then ask what it found.

    A row is `sequence, hash as hex, entry id, canonical line`, tab-separated, the line being PostgreSQL's COPY text
    format of the entry's fields; an entry that is gone has `\\N` fields.
    """

    sequence: int
    """The last one seen, or the one before the first."""
    hash: bytes
    """The hash at `sequence`."""
    checked: int = 0
    _before: bytes = b""
    _findings: list[ChainFinding] = field(default_factory=list)
    _broken: list[_Broken] = field(default_factory=list)

    def feed(self, rows: Iterable[bytes]) -> None:
        """Check some rows. About a microsecond each while all is well."""
        sha256, previous, before, expected = hashlib.sha256, self.hash, self._before, self.sequence
        for row in rows:
            number, shown, entry, line = row.split(b"\t", 3)
            stored = unhexlify(shown)
            expected += 1
            gap = int(number) != expected
            if gap:
                self._gap(expected, int(number) - 1)
                expected = int(number)
            if line.startswith(_ABSENT):
                self._absent(expected, entry)
            elif not gap and sha256(previous + line).digest() != stored and len(self._broken) < _KEPT_MAX:
                self._broken.append(_Broken(expected, entry.decode(), line, stored, previous, before))
            before, previous = previous, stored
            self.checked += 1
        self.sequence, self.hash, self._before = expected, previous, before

    def findings(self) -> list[ChainFinding]:
        """What is wrong, in the order of the chain; at most FINDINGS_MAX."""
        inserted = {one.sequence - 1 for one in self._broken if one.before and link(one.before, one.line) == one.stored}
        found = list(self._findings)
        for one in self._broken:
            if one.sequence in inserted or one.sequence - 1 in inserted:
                continue
            found.append(self._explained(one))
        found += [_finding("inserted", at, None, "was put between two that belong together") for at in inserted]
        found.sort(key=lambda each: each.sequence or 0)
        return found[:FINDINGS_MAX]

    def _explained(self, one: _Broken) -> ChainFinding:
        for other in self._broken:
            if other is not one and link(one.previous, other.line) == one.stored:
                says = f"was put there from sequence {other.sequence}, or changed places with it"
                return _finding("reordered", one.sequence, one.entry, says)
        return _finding("altered", one.sequence, one.entry, "was altered, or one before it was taken out")

    def _gap(self, first: int, last: int) -> None:
        says = f"Sequence {first} is missing." if first == last else f"Sequences {first} to {last} are missing."
        self._findings.append(ChainFinding(kind="missing", says=says, sequence=first))

    def _absent(self, sequence: int, entry: bytes) -> None:
        self._findings.append(_finding("missing", sequence, entry.decode(), "was deleted"))


def _finding(kind: str, sequence: int, entry: str | None, what: str) -> ChainFinding:
    shown = None if entry is None else f"aud_{uuid.UUID(entry).hex}"
    name = f"The entry {shown} " if shown else "The entry "
    return ChainFinding(kind=kind, says=f"{name}at sequence {sequence} {what}.", sequence=sequence, entry=shown)


def head_findings(heads: Iterable[SignedHead], stored: dict[int, bytes], last: int) -> list[ChainFinding]:
    """What heads of good signature say about a chain that ends at `last` and holds `stored` hashes by sequence."""
    found: list[ChainFinding] = []
    good = 0
    for head in sorted(heads, key=lambda each: each.sequence):
        at = f"the head signed at {head.signed_at:%Y-%m-%d %H:%M:%S} UTC"
        if head.sequence > last:
            says = f"The chain ends at sequence {last}, but {at} says that there were {head.sequence} entries."
            found.append(ChainFinding(kind="truncated", says=says, sequence=last + 1))
        elif stored.get(head.sequence) != head.hash:
            says = f"The chain was rewritten after sequence {good}: {at} does not fit at sequence {head.sequence}."
            found.append(ChainFinding(kind="rewritten", says=says, sequence=head.sequence))
        else:
            good = head.sequence
            continue
        break  # what follows a first wrong head is wrong for the same reason
    return found
