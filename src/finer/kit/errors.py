"""Every expected failure, as a class with an HTTP status and a sentence that says what to do.

The edge renders them as RFC 9457 problem details, so no caller translates errors one by one.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FinerError(Exception):
    """Base of every expected failure: `detail` says what happened, where, and what to do next."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, **members: Any) -> None:
        """`members` become extension members of the problem document (RFC 9457 section 3.2)."""
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """The RFC 9457 problem document of this error."""
        document: dict[str, Any] = {
            "type": f"urn:finer:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if instance is not None:
            document["instance"] = instance
        return document | self.members


class InvalidInput(FinerError):
    """The request or the command line holds something that cannot be understood."""

    status = 400
    slug = "invalid-input"
    title = "The input cannot be understood"


class Unauthenticated(FinerError):
    """Nobody is signed in, or the key or session is not valid any more."""

    status = 401
    slug = "unauthenticated"
    title = "Sign in first"


class Forbidden(FinerError):
    """The caller is known, and the role does not allow this act."""

    status = 403
    slug = "forbidden"
    title = "Your role does not allow this"


class NotFound(FinerError):
    """There is no such thing for this tenant; a foreign tenant's thing answers the same."""

    status = 404
    slug = "not-found"
    title = "Not found"


class RequestTimeout(FinerError):
    """The request did not come to its end in time."""

    status = 408
    slug = "request-timeout"
    title = "The request did not end in time"


class Conflict(FinerError):
    """The act contradicts what is stored already."""

    status = 409
    slug = "conflict"
    title = "This contradicts what is stored"


class TooLarge(FinerError):
    """The body, or what it unpacks to, is over the limit."""

    status = 413
    slug = "too-large"
    title = "The body is too large"


class UnsupportedMediaType(FinerError):
    """The content type or encoding is none that this endpoint reads."""

    status = 415
    slug = "unsupported-media-type"
    title = "This content type is not supported"


class Unprocessable(FinerError):
    """The input is well formed and breaks a rule of its contract."""

    status = 422
    slug = "unprocessable"
    title = "The record breaks its contract"


class MomentToCome(Unprocessable):
    """Something is to be seen as of a moment that has not come yet."""

    slug = "moment-to-come"
    title = "This moment is yet to come"


class TooManyRequests(FinerError):
    """The caller, or the whole system, is over its limit; `retry_after_s` says when to come back."""

    status = 429
    slug = "too-many-requests"
    title = "Slow down"

    def __init__(self, detail: str, *, retry_after_s: int, **members: Any) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, **members)
        self.retry_after_s = retry_after_s


class Unavailable(FinerError):
    """A part of the system is not there right now; nothing was changed."""

    status = 503
    slug = "unavailable"
    title = "Not available right now"
