"""What can go wrong in the workspace."""

from __future__ import annotations

from finer.kit.errors import Conflict, FinerError, Forbidden, NotFound, TooManyRequests, Unprocessable


class RunNotFound(NotFound):
    """The caller has no run of this id."""

    slug = "sql-run-not-found"


class SavedQueryNotFound(NotFound):
    """No saved query of this id is the caller's own or shared with them."""

    slug = "saved-query-not-found"


class ScheduleNotFound(NotFound):
    """The caller has no schedule of this id."""

    slug = "schedule-not-found"


class ResultGone(FinerError):
    """The result of a run is not kept any more."""

    status = 410
    slug = "sql-result-gone"
    title = "The result is not kept any more"


class NotShown(Forbidden):
    """Rows that are only handed out as an export, which may take two people."""

    slug = "sql-rows-not-shown"
    title = "This much is not shown on a page"


class NotFinished(Conflict):
    """A run has no result, because it is not over or went wrong."""

    slug = "sql-no-result"
    title = "There is no result"


class ChangedMeanwhile(Conflict):
    """Somebody else changed it first."""

    slug = "changed-meanwhile"
    title = "Somebody else changed this first"


class NotYours(Conflict):
    """Only its owner may do this."""

    slug = "not-the-owner"
    title = "Only the owner can do this"


class StatementRefused(Unprocessable):
    """The statement cannot be read, or is not one question; `position` says where."""

    slug = "sql-statement"
    title = "The statement cannot be run"


class CannotBeUsed(Unprocessable):
    """A name, parameter, schedule or condition that cannot be used."""

    slug = "workspace-input"
    title = "This cannot be used"


class TooManyQueries(TooManyRequests):
    """The caller, or the firm, has too many queries waiting."""

    slug = "sql-busy"
    title = "Too many queries at once"
