"""What can be wrong with a condition that somebody wrote."""

from __future__ import annotations

from finer.kit.errors import FinerError


class ConditionError(FinerError):
    """A condition cannot be used: it says where in the text, what is wrong, and what to write instead.

    `position` is the offset in characters from the start (0-based); `line` and `column` are 1-based. All of them,
    with `message` and `hint`, are members of the problem document, so that an editor can mark the place.
    """

    status = 422
    slug = "condition"
    title = "The condition cannot be used"

    def __init__(self, message: str, text: str, position: int, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        self.position = max(0, min(position, len(text)))
        before = text[: self.position]
        self.line = before.count("\n") + 1
        self.column = self.position - (before.rfind("\n") + 1) + 1
        detail = f"{message} (line {self.line}, column {self.column})."
        super().__init__(
            f"{detail} {hint}".rstrip(),
            message=message,
            hint=hint,
            position=self.position,
            line=self.line,
            column=self.column,
        )
