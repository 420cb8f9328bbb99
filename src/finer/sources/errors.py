"""What can go wrong with sources."""

from __future__ import annotations

from finer.kit.errors import Conflict, FinerError, InvalidInput, NotFound, Unavailable, Unprocessable


class SourceNotFound(NotFound):
    """The firm has no such source."""

    slug = "source-not-found"
    title = "There is no such source"


class SourceExists(Conflict):
    """Two sources of a firm cannot have one name."""

    slug = "source-exists"
    title = "There is a source of this name"


class SourceChanged(Conflict):
    """The source was changed, paused or taken over while it was being read; what was read is not taken."""

    slug = "source-changed"
    title = "The source has changed"


class SettingsInvalid(Unprocessable):
    """The settings of a source cannot work."""

    slug = "source-settings-invalid"
    title = "The settings of the source cannot work"


class BackfillImpossible(Unprocessable):
    """A source of this kind cannot begin again there."""

    slug = "backfill-impossible"
    title = "The source cannot begin again there"


class SourceFailed(Unavailable):
    """The source could not be read on; it is tried again. `detail` is a sentence for people."""

    slug = "source-failed"
    title = "The source cannot be read at present"
    status = 502


class SourceMisconfigured(FinerError):
    """The source will not work until somebody changes its settings."""

    status = 422
    slug = "source-misconfigured"
    title = "The source cannot be read as it is set up"


class HookUnknown(NotFound):
    """No source listens at this address."""

    slug = "hook-unknown"
    title = "Nobody listens here"


class SignatureRefused(InvalidInput):
    """An incoming webhook is not signed by who it says, or not now."""

    slug = "signature-refused"
    title = "The signature does not hold"


class VersionRefused(InvalidInput):
    """An incoming event has another API version than the source is pinned to."""

    slug = "api-version-refused"
    title = "The event has another API version"
