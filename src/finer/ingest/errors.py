"""What can go wrong when records come in."""

from __future__ import annotations

from collections.abc import Iterable

from finer.kit.errors import Conflict, InvalidInput, NotFound, Unprocessable, UnsupportedMediaType


class UnknownContract(NotFound):
    """No contract has this name."""

    slug = "unknown-contract"
    title = "There is no such contract"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(f"There is no contract {name[:80]!r}. The contracts are: {names}.")


class ContractInvalid(Unprocessable):
    """A contract's text is wrong; `line` says where, from 1, when that is known."""

    slug = "contract-invalid"
    title = "The data contract cannot be used"

    def __init__(self, detail: str, *, line: int | None = None) -> None:
        super().__init__(detail, line=line)
        self.line = line


class ContractNotAcceptable(Unprocessable):
    """A contract that could be used, but not in this place: another name, a version that is too low, a lost field."""

    slug = "contract-not-acceptable"
    title = "This version of the contract cannot be taken"


class VersionNotFound(NotFound):
    """The contract has no such version or draft."""

    slug = "contract-version-not-found"
    title = "There is no such version"


class DraftChanged(Conflict):
    """Somebody changed the draft in the meantime, or it is no draft any more."""

    slug = "contract-draft-changed"
    title = "The draft is another one by now"


class UnsupportedFormat(UnsupportedMediaType):
    """The body's content type is none that ingest reads."""

    def __init__(self, content_type: str, supported: Iterable[str]) -> None:
        super().__init__(
            f"The content type {content_type[:80]!r} cannot be read. Send one of: {', '.join(supported)}.",
            supported=list(supported),
        )


class UnknownFileFormat(InvalidInput):
    """The name of a file tells no format that ingest reads."""

    slug = "unknown-file-format"
    title = "The format of the file is not known"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"The name {name[:80]!r} tells no format that can be read. Names end with {', '.join(known)}, "
            "those of text also with .gz or .zst behind it."
        )


class UnsupportedEncoding(UnsupportedMediaType):
    """The body's content encoding is none that ingest unpacks."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The content encoding {encoding[:80]!r} cannot be unpacked. Send gzip, zstd or none.",
            supported=["gzip", "zstd", "identity"],
        )


class UnreadableBody(InvalidInput):
    """The body as a whole cannot be read, so nothing of it was accepted."""

    slug = "unreadable-body"
    title = "The body cannot be read"


class MappingInvalid(InvalidInput):
    """A mapping file is wrong."""

    slug = "mapping-invalid"
    title = "The mapping cannot be used"


class RepairInvalid(InvalidInput):
    """What should be assigned to refused records cannot be used."""

    slug = "repair-invalid"
    title = "The records cannot be changed like that"


class NotWaiting(Conflict):
    """A quarantined record is not waiting any more: somebody released or discarded it, or it is a part only."""

    slug = "not-waiting"
    title = "The record is not waiting in quarantine"


class Laborious(Exception):
    """Some `bodies` of a group, by their places in it, have many records that are looked at one by one.

    Nothing was parsed; whoever parses groups takes those bodies by themselves, and the others again.
    """

    def __init__(self, bodies: Iterable[int]) -> None:
        super().__init__()
        self.bodies = sorted(set(bodies))
