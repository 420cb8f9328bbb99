"""What can go wrong with rules and lists."""

from __future__ import annotations

from finer.kit.errors import Conflict, NotFound, Unprocessable


class RuleNotFound(NotFound):
    """The firm has no such rule or version."""

    slug = "rule-not-found"
    title = "There is no such rule"


class RuleNotAcceptable(Unprocessable):
    """A rule that cannot be used as it is: too costly, not priced, a reason that cannot be filled in."""

    slug = "rule-not-acceptable"
    title = "This rule cannot be taken"


class RuleChanged(Conflict):
    """Somebody changed the rule in the meantime, or it is in another state by now."""

    slug = "rule-changed"
    title = "The rule is another one by now"


class ListNotFound(NotFound):
    """The firm has no such list or entry."""

    slug = "list-not-found"
    title = "There is no such list"


class ListNotAcceptable(Unprocessable):
    """A list or an entry that cannot be used; `line` says where in a file, from 1, when that is known."""

    slug = "list-not-acceptable"
    title = "This list cannot be taken"

    def __init__(self, detail: str, *, line: int | None = None) -> None:
        super().__init__(detail, line=line)


class ListInUse(Conflict):
    """A rule asks the list, so it cannot go."""

    slug = "list-in-use"
    title = "The list is in use"


class NothingToLearnFrom(Unprocessable):
    """The lake holds no payment of a period, or more than a model can learn from."""

    slug = "nothing-to-learn-from"
    title = "A model cannot learn from this period"


class PeriodNotAcceptable(Unprocessable):
    """A period that cannot be measured: it ends before it begins, or is too long."""

    slug = "period-not-acceptable"
    title = "This period cannot be measured"
