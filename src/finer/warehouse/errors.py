"""What can go wrong in the warehouse."""

from __future__ import annotations

from finer.kit.errors import Conflict, FinerError, Forbidden, NotFound, TooLarge, Unavailable, Unprocessable


class LakeEmpty(NotFound):
    """Nothing of this tenant has reached the lake yet."""

    slug = "lake-empty"
    title = "The lake holds nothing yet"


class TableNotFound(LakeEmpty):
    """The lake holds something of this tenant, but no table of this name."""

    slug = "table-not-found"
    title = "There is no such table"


class SnapshotGone(NotFound):
    """The lake does not remember its state of that moment, or never had that snapshot."""

    slug = "snapshot-gone"
    title = "The lake does not remember that"


class LakeUnavailable(Unavailable):
    """The lake cannot be opened, read or written right now."""

    slug = "lake-unavailable"
    title = "The lake is not available right now"


class LakeBusy(LakeUnavailable):
    """Somebody else changes rows or files of the lake; nothing is wrong, and asking again is right."""


class NotInLakeYet(LakeUnavailable):
    """Records that were asked for are on their way to the lake; nothing is wrong, and asking again is right."""


class ExportNotFound(NotFound):
    """There is no such export of the caller."""

    slug = "export-not-found"
    title = "There is no such export"


class ExportNotReady(Conflict):
    """The file of an export is not there: not yet, or not any more."""

    slug = "export-not-ready"
    title = "There is no file of this export"


class ExportTooLarge(TooLarge):
    """The export has more rows or bytes than one may have."""

    slug = "export-too-large"
    title = "The export is too large"


class TooManyExports(Conflict):
    """The caller's exports under way are as many as one person may have."""

    slug = "too-many-exports"
    title = "Too many exports are under way"


class SqlNotAllowed(Forbidden):
    """The statement is something else than one query over the tenant's tables."""

    slug = "sql-not-allowed"
    title = "Only one query over your tables is allowed"


class SqlFailed(Unprocessable):
    """The query cannot be run as it is written."""

    slug = "sql-failed"
    title = "The query failed"


class SqlTooLarge(TooLarge):
    """The query needs more memory, or its answer is larger, than one query may have."""

    slug = "sql-too-large"
    title = "The query needs too much"


class SqlTimeout(FinerError):
    """The query took longer than one query may take."""

    status = 408
    slug = "sql-timeout"
    title = "The query took too long"


class SqlCancelled(FinerError):
    """Somebody ended the query before its answer."""

    status = 409
    slug = "sql-cancelled"
    title = "The query was cancelled"


class BiUnavailable(Unavailable):
    """There is no BI database, or it refused or did not answer."""

    slug = "bi-unavailable"
    title = "The BI database cannot be used"


class ExtractNotFound(NotFound):
    """This firm has no extract of this id."""

    slug = "extract-not-found"


class ExtractNameTaken(Conflict):
    """The firm has an extract of this name."""

    slug = "extract-name-taken"
    title = "There is an extract of this name"


class ExtractNotAcceptable(Unprocessable):
    """An extract cannot be so."""

    slug = "extract-not-acceptable"
    title = "This extract cannot be made"
