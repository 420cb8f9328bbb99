"""Which files a case keeps: few kinds, bounded, and each what its first bytes say."""

from __future__ import annotations

import re
import unicodedata

from finer.decisions.errors import AttachmentRefused, AttachmentTooLarge, CaseNotAcceptable

BYTES_MAX = 5 * 2**20
"""Size of one file."""
FILES_MAX = 20
"""Files of one case."""
NAME_MAX = 120
_BEGINS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
_TEXTS = ("text/csv", "text/plain")
_ENDINGS = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "text/csv": ".csv",
    "text/plain": ".txt",
}
_UNSAFE = re.compile(r"[^\w .()\-]")


def media_type(said: str, content: bytes) -> str:
    """The kind of a file. Raises AttachmentRefused for another kind, or when its content is not of the kind said."""
    kind = said.partition(";")[0].strip().lower()
    if kind in _BEGINS and content.startswith(_BEGINS[kind]):
        return kind
    if kind in _TEXTS and _is_text(content):
        return kind
    known = ", ".join(sorted(_ENDINGS))
    if kind in _ENDINGS:
        raise AttachmentRefused(f"The file says that it is {kind}, and its content is something else.")
    raise AttachmentRefused(f"A case keeps files of the kinds {known}; this one is {kind[:60]!r}.")


def check_size(content: bytes, files: int) -> None:
    """Raises AttachmentTooLarge, CaseNotAcceptable for an empty file or one too many."""
    if not content:
        raise CaseNotAcceptable("The file is empty.")
    if len(content) > BYTES_MAX:
        raise AttachmentTooLarge(f"The file has {len(content):,} bytes; a case keeps files of up to {BYTES_MAX:,}.")
    if files >= FILES_MAX:
        raise CaseNotAcceptable(f"A case keeps up to {FILES_MAX} files. Delete one first.")


def file_name(said: str, kind: str) -> str:
    """A name without folders, control characters and marks that change the direction of reading, that ends by kind."""
    last = unicodedata.normalize("NFC", said).replace("\\", "/").rpartition("/")[2]
    plain = _UNSAFE.sub("_", "".join(one for one in last if unicodedata.category(one)[0] != "C")).strip(" .")
    ending = _ENDINGS[kind]
    stem = plain[: -len(ending)] if plain.lower().endswith(ending) else plain
    return (stem[: NAME_MAX - len(ending)].strip(" .") or "file") + ending


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return "\x00" not in text
