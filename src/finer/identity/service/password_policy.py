"""Which passwords may be chosen (NIST SP 800-63B): long ones that nobody has leaked and nobody would guess."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path

from finer.identity.errors import NotAcceptable
from finer.identity.rules.checks import check_password
from finer.identity.rules.context_words import is_made_of
from finer.kit.errors import Unavailable
from finer.kit.settings import Settings

_SCORE_MIN = 3
"""Of zxcvbn's 0 to 4: at least 10^8 guesses (Wheeler, USENIX Security 2016)."""
_SCORED_CHARACTERS = 72
_LINE_BYTES_MAX = 128
_ESTIMATING = threading.Lock()


def check_new_password(settings: Settings, password: str, about: Iterable[str]) -> str:
    """A password that may be set; `about` are words that belong to the person, such as name and firm.

    Nothing leaves the machine. Raises NotAcceptable with what to do instead.
    """
    check_password(password)
    if is_breached(settings, password):
        raise NotAcceptable("This password is in a list of leaked passwords. Choose another one.")
    about = list(about)
    words = [word for text in about for word in {text, *text.replace("@", " ").replace(".", " ").split()}]
    # Its lists of words take 12 MB, which no process needs in which nobody chooses a password.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    with _ESTIMATING:  # the library keeps the words of the person in a table that all its callers share
        found = zxcvbn(password[:_SCORED_CHARACTERS], user_inputs=words)
    if found["score"] < _SCORE_MIN:
        why = found["feedback"]["warning"] or "This password is easy to guess."
        raise NotAcceptable(f"{why.rstrip('.')}. Choose another one, for example four unrelated words.")
    if is_made_of(password, about):
        raise NotAcceptable(
            "This password is made of words of your work and your name, which attackers try first. Choose another one, "
            "for example four unrelated words."
        )
    return password


def is_breached(settings: Settings, password: str) -> bool:
    """Whether the operator's file of leaked passwords has it. Raises Unavailable when the file cannot be read."""
    if not settings.breached_passwords_file:
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        return _holds(Path(settings.breached_passwords_file), digest.encode())
    except OSError as error:
        raise Unavailable(
            f"The file of leaked passwords cannot be read ({error.strerror}). Passwords can be set again when "
            "FINER_BREACHED_PASSWORDS_FILE names a readable file."
        ) from error


def _holds(file: Path, digest: bytes) -> bool:
    """Whether a sorted file of lines `SHA1:COUNT` has this hash: by bisection, some 35 reads in a file of 40 GB."""
    with file.open("rb") as lines:
        low, high = 0, file.stat().st_size
        # The line that is looked for, if there is one, begins in [low, high).
        while low < high:
            middle = (low + high) // 2
            begin = max(0, middle - _LINE_BYTES_MAX)
            lines.seek(begin)
            part = lines.read(2 * _LINE_BYTES_MAX)
            start = begin + part.rfind(b"\n", 0, middle - begin) + 1
            line = part[start - begin :].partition(b"\n")[0]
            found = line[: len(digest)].upper()
            if found == digest:
                return True
            if found < digest:
                low = start + len(line) + 1
            else:
                high = start
        return False
