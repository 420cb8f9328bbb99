"""What can go wrong when records come in."""

from __future__ import annotations

from collections.abc import Iterable

from finer.kit.errors import FinerError, InvalidInput, NotFound, UnsupportedMediaType


class UnknownContract(NotFound):
    """No contract has this name."""

    slug = "unknown-contract"
    title = "There is no such contract"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(f"There is no contract {name[:80]!r}. The contracts are: {names}.")


class ContractInvalid(FinerError):
    """A contract file is wrong; a mistake of whoever wrote it, found at start."""

    status = 500
    slug = "contract-invalid"
    title = "A data contract cannot be used"


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
            "each also with .gz or .zst behind it."
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
