"""What can go wrong in screening."""

from __future__ import annotations

from finer.kit.errors import Conflict, NotFound, Unprocessable


class ScreeningListNotFound(NotFound):
    """The firm has no such list."""

    slug = "screening-list-not-found"
    title = "There is no such list"


class ScreeningListNotAcceptable(Unprocessable):
    """A list or its file that cannot be used; `line` says where in a file, from 1, when that is known."""

    slug = "screening-list-not-acceptable"
    title = "This list cannot be taken"

    def __init__(self, detail: str, *, line: int | None = None) -> None:
        super().__init__(detail, line=line)


class SubjectNotAcceptable(Unprocessable):
    """Somebody who cannot be screened: no name, or too much of it."""

    slug = "subject-not-acceptable"
    title = "This cannot be screened"


class HitNotFound(NotFound):
    """The firm has no such hit."""

    slug = "hit-not-found"
    title = "There is no such hit"


class HitChanged(Conflict):
    """Somebody judged the hit, or what it compares changed, in the meantime."""

    slug = "hit-changed"
    title = "The hit is another one by now"


class JudgementNotAcceptable(Unprocessable):
    """A judgement that cannot be taken as it is: without a reason, or of one person where two are needed."""

    slug = "judgement-not-acceptable"
    title = "This judgement cannot be taken"
